"""A provider of exams to try things on."""
