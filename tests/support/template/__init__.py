"""template.yaml as CloudFormation sees it."""
