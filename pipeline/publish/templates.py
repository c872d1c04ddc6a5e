"""The Jinja environment of the templates: all is escaped but in plain text and YAML, nothing is optional."""

from __future__ import annotations

import base64
import hashlib
import sys
from functools import lru_cache
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.bccache import Bucket
from markupsafe import Markup

from pipeline import wording
from pipeline.config.documents import yaml_text
from pipeline.config.home import checkout
from pipeline.publish import charts
from pipeline.publish.facts import verdict
from pipeline.storage.remembered import Remembered, version_digest

_MOST_COMPILED = 100


def folder() -> Path:
    """`reports/templates` of a checkout; a wheel has them inside the package."""
    root = checkout()
    return root / "reports" / "templates" if root else Path(__file__).resolve().parents[1] / "templates"


@lru_cache(maxsize=1)
def jinja_environment() -> Environment:
    """One environment per process; templates are compiled once."""
    jinja = Environment(
        loader=FileSystemLoader(folder()),
        autoescape=select_autoescape(disabled_extensions=("txt.j2", "yaml.j2"), default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        optimized=False,  # else a filter could be called as a template is compiled, and what it said then be kept
        bytecode_cache=_Compiled(),
    )
    jinja.filters.update(
        clip=wording.clip, count=wording.count, exact_share=wording.exact_share, share=wording.share, size=wording.size
    )
    jinja.filters["yaml_text"] = yaml_text
    return jinja


def compile_all() -> None:
    """Compile every template, for processes that are forked from this one."""
    for name in jinja_environment().list_templates(extensions=["j2"]):
        jinja_environment().get_template(name)


def render(template: str, **values: object) -> str:
    """The template filled in.

    Raises:
        jinja2.UndefinedError: the template uses a value that was not given.
    """
    return jinja_environment().get_template(template).render(**values)


def page(template: str, environment: str | None, **values: object) -> bytes:
    """A whole page, UTF-8: the template with style and script inside, and a policy that allows nothing else.

    `environment` is the name of the installation, which every page shows.

    The Content-Security-Policy names the digests of the style and the script, so that text from data could not run
    or restyle anything even if it were not escaped.
    """
    style = Markup(_source("page.css.j2"))  # noqa: S704  (a file of ours, without a value in it)
    script = Markup(_source("fleet.js.j2")) if values.get("scripted") else Markup("")  # noqa: S704
    sources = [f"style-src {_digest(style)}", "img-src data:"] + [f"script-src {_digest(script)}"] * bool(script)
    policy = "; ".join(["default-src 'none'", *sources, "base-uri 'none'", "form-action 'none'"])
    html = render(
        template,
        **values,
        environment=environment,
        marks={state: charts.mark(state) for state in verdict.STATES},
        states=verdict.STATES,
        style=style,
        script=script,
        policy=policy,
    )
    return html.encode("utf-8", "backslashreplace")


class _Compiled(BytecodeCache):
    """Compiled templates, beside their sources as Python has its own: who can write there can write templates, too.

    Jinja compares the digest of a template with that of what was compiled.
    """

    def __init__(self) -> None:
        self._kept = Remembered(folder() / "__pycache__", _MOST_COMPILED)
        self._version = version_digest(("jinja2", "markupsafe"), (Path(__file__),)).hex()

    def load_bytecode(self, bucket: Bucket) -> None:
        code = self._kept.get(self._name(bucket))
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            self._kept.put(self._name(bucket), bucket.bytecode_to_string())

    def _name(self, bucket: Bucket) -> str:
        return f"{bucket.key}.{self._version[:16]}"


def _source(template: str) -> str:
    return render(template).strip()


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
