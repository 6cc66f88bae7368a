"""The receivers of the matrix: how each one starts, and what it needs to verify a signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

CONSUMERS = "docs/consumers"
NODE = "tools/receivers/node"
PYTHON = "tools/receivers/python"
LAMBDA_FRONT = "tools/receivers/lambda_front.py"


class Runtime(Enum):
    """What runs a receiver, named as the page prints it."""

    NODE = "Node.js"
    PYTHON = "Python"
    GO = "Go"
    PHP = "PHP"
    RUBY = "Ruby"


@dataclass(frozen=True, slots=True)
class Receiver:
    """One row of the matrix."""

    name: str
    runtime: Runtime
    source: str
    """Path of the receiver's code."""
    packages: tuple[str, ...] = ()
    """Packages that it imports; the first one's version is in the page. Empty for a standard library."""
    arguments: tuple[str, ...] = ()
    replaced_package: str = ""
    """npm package whose import returns the first of ``packages`` instead."""
    module: str = ""
    """Python module that starts ``source``; empty to start the file itself."""
    environ: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""
    """What this receiver needs, in addition to its documentation's first example, as Markdown."""
    parses: bool = True
    verifies: bool = True

    @property
    def code(self) -> str:
        """Path of the code to show: that of a project or a front end is not the receiver itself."""
        if "ROOT_URLCONF" in self.environ:
            return f"{self.environ['PYTHONPATH']}/{self.environ['ROOT_URLCONF']}.py"
        return self.arguments[0] if self.source == LAMBDA_FRONT else self.source

    @property
    def key(self) -> str:
        """A name for test ids and files."""
        return "".join(char if char.isalnum() else "-" for char in self.name.lower()).strip("-")


VERIFIER = "standardwebhooks"


def _express(version: int) -> Sequence[Receiver]:
    package = "express" if version == 5 else f"express{version}"  # noqa: PLR2004 - npm's alias of the older version
    name = f"Express {version}"
    return (
        Receiver(
            f"{name}, express.json()",
            Runtime.NODE,
            f"{NODE}/express_json.mjs",
            (package,),
            (package,),
            needs="the bytes: `express.json({ verify: (req, res, bytes) => (req.rawBody = bytes) })`",
            verifies=False,
        ),
        Receiver(
            f"{name}, express.json({{ verify }})",
            Runtime.NODE,
            f"{NODE}/express_json_verify.mjs",
            (package, VERIFIER),
            (package,),
        ),
        Receiver(
            f"{name}, express.raw()",
            Runtime.NODE,
            f"{CONSUMERS}/express.mjs",
            (package, VERIFIER),
            replaced_package="express",
            needs="no `express.json()` before it",
        ),
    )


def _lambda(name: str, shape: str) -> Receiver:
    return Receiver(
        f"AWS Lambda, {name}",
        Runtime.PYTHON,
        LAMBDA_FRONT,
        (VERIFIER,),
        (f"{CONSUMERS}/lambda_function.py", shape),
        needs="`base64.b64decode(body)` if `isBase64Encoded`",
    )


def _django(name: str, folder: str, urls: str, needs: str, *, accepts: bool) -> Receiver:
    return Receiver(
        name,
        Runtime.PYTHON,
        f"{PYTHON}/django_project.py",
        ("django", VERIFIER),
        environ={"ROOT_URLCONF": urls, "PYTHONPATH": folder},
        needs=needs,
        parses=accepts,
        verifies=accepts,
    )


RECEIVERS: Sequence[Receiver] = (
    Receiver("Node.js, node:http", Runtime.NODE, f"{NODE}/node_http.mjs", (VERIFIER,)),
    *_express(4),
    *_express(5),
    Receiver(
        "Koa, body of @koa/bodyparser",
        Runtime.NODE,
        f"{NODE}/koa_body.mjs",
        ("koa", "@koa/bodyparser"),
        needs="the text: `context.request.rawBody`",
        verifies=False,
    ),
    Receiver(
        "Koa, rawBody of @koa/bodyparser",
        Runtime.NODE,
        f"{NODE}/koa_raw_body.mjs",
        ("koa", "@koa/bodyparser", VERIFIER),
    ),
    Receiver(
        "Fastify, its JSON parser",
        Runtime.NODE,
        f"{NODE}/fastify_json.mjs",
        ("fastify",),
        needs='the text: `addContentTypeParser("application/json", { parseAs: "string" }, …)`',
        verifies=False,
    ),
    Receiver("Fastify, addContentTypeParser", Runtime.NODE, f"{CONSUMERS}/fastify.mjs", ("fastify", VERIFIER)),
    Receiver(
        "NestJS, @Body()",
        Runtime.NODE,
        f"{NODE}/nest_body.ts",
        ("@nestjs/core", "tsx"),
        needs="the bytes: `NestFactory.create(AppModule, { rawBody: true })`",
        verifies=False,
    ),
    Receiver("NestJS, rawBody", Runtime.NODE, f"{NODE}/nest_raw_body.ts", ("@nestjs/core", "tsx", VERIFIER)),
    Receiver(
        "Hono, req.json()",
        Runtime.NODE,
        f"{NODE}/hono_json.mjs",
        ("hono",),
        needs="the text: `await context.req.text()`",
        verifies=False,
    ),
    Receiver("Hono, req.text()", Runtime.NODE, f"{NODE}/hono_text.mjs", ("hono", VERIFIER)),
    Receiver("svix (npm), express.raw()", Runtime.NODE, f"{NODE}/svix_express.mjs", ("svix", "express")),
    Receiver(
        "cloudevents (npm), HTTP.toEvent()",
        Runtime.NODE,
        f"{NODE}/cloudevents_express.mjs",
        ("cloudevents", "express"),
        needs="`--content-type cloudevents`, or `new CloudEvent(event)` after verification",
        parses=False,
        verifies=False,
    ),
    Receiver(
        "cloudevents (npm), new CloudEvent()",
        Runtime.NODE,
        f"{NODE}/cloudevents_json.mjs",
        ("cloudevents", "express", VERIFIER),
    ),
    Receiver("Python, http.server", Runtime.PYTHON, f"{PYTHON}/http_server.py", (VERIFIER,)),
    Receiver(
        "Flask, request.get_json()",
        Runtime.PYTHON,
        f"{PYTHON}/flask_json.py",
        ("flask",),
        module="flask",
        needs="the bytes: `request.get_data()`",
        verifies=False,
    ),
    Receiver(
        "Flask, request.get_data()",
        Runtime.PYTHON,
        f"{CONSUMERS}/flask_receiver.py",
        ("flask", VERIFIER),
        module="flask",
    ),
    Receiver(
        "FastAPI, Pydantic model",
        Runtime.PYTHON,
        f"{PYTHON}/fastapi_model.py",
        ("fastapi", "uvicorn"),
        module="uvicorn",
        needs="the bytes: `await request.body()`",
        verifies=False,
    ),
    Receiver(
        "FastAPI, request.body()",
        Runtime.PYTHON,
        f"{CONSUMERS}/fastapi_receiver.py",
        ("fastapi", "uvicorn", VERIFIER),
        module="uvicorn",
    ),
    Receiver(
        "Starlette, request.json()",
        Runtime.PYTHON,
        f"{PYTHON}/starlette_json.py",
        ("starlette", "uvicorn"),
        module="uvicorn",
        needs="the bytes: `await request.body()`",
        verifies=False,
    ),
    Receiver(
        "Starlette, request.body()",
        Runtime.PYTHON,
        f"{PYTHON}/starlette_receiver.py",
        ("starlette", "uvicorn", VERIFIER),
        module="uvicorn",
    ),
    _django("Django, CSRF middleware", PYTHON, "django_csrf", "`@csrf_exempt` and `request.body`", accepts=False),
    _django("Django, @csrf_exempt", CONSUMERS, "django_receiver", "", accepts=True),
    Receiver(
        "svix (PyPI), request.get_data()",
        Runtime.PYTHON,
        f"{PYTHON}/flask_svix.py",
        ("svix", "flask"),
        module="flask",
        needs="`json.loads(body)`: `verify()` returns nothing in this version",
    ),
    Receiver(
        "cloudevents (PyPI), from_http_event()",
        Runtime.PYTHON,
        f"{PYTHON}/cloudevents_flask.py",
        ("cloudevents", "flask"),
        module="flask",
        needs="the bytes: `request.get_data()`, verified before it",
        verifies=False,
    ),
    Receiver(
        "cloudevents (PyPI), from_structured_event()",
        Runtime.PYTHON,
        f"{PYTHON}/cloudevents_json.py",
        ("cloudevents", "flask", VERIFIER),
        module="flask",
    ),
    _lambda("function URL", "function-url"),
    _lambda("HTTP API, payload 2.0", "http-api-2.0"),
    _lambda("HTTP API, payload 1.0", "http-api-1.0"),
    Receiver("Go, net/http", Runtime.GO, f"{CONSUMERS}/receiver.go"),
    Receiver("PHP, built-in server", Runtime.PHP, f"{CONSUMERS}/receiver.php"),
    Receiver("Ruby, Sinatra", Runtime.RUBY, "tools/receivers/ruby/sinatra_receiver.rb", ("sinatra",)),
)
