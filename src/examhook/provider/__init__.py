"""Client of the OnlineExamMaker API, in both of its dialects: ``legacy`` and ``v1``."""
