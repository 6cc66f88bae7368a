"""A Django project with the default CSRF middleware; ROOT_URLCONF names the module with its paths."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    ROOT_URLCONF=os.environ["ROOT_URLCONF"],
    SECRET_KEY=os.urandom(32).hex(),
)
execute_from_command_line([sys.argv[0], "runserver", "--noreload", f"127.0.0.1:{os.environ['PORT']}"])
