"""The API's reference page, made from its own description, with nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from service.web.pages import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
def docs(request: Request) -> HTMLResponse:
    """Show every address of the API with its parameters and answers."""
    description = request.app.openapi()
    return page(
        request,
        "api_docs.html",
        info=description["info"],
        operations=list(_operations(description)),
        shapes={name: list(_members(shape)) for name, shape in description["components"]["schemas"].items()},
    )


def _operations(description: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield {
                "method": method.upper(),
                "path": path,
                "summary": operation.get("description", operation.get("summary", "")),
                "parameters": [
                    {**one, "type": _type_name(one["schema"])} for one in operation.get("parameters", ())
                ],
                "answer": _answer(operation["responses"]),
            }


def _answer(responses: Mapping[str, Any]) -> tuple[str, str]:
    """Give the media type and, for JSON, the name of the shape of a successful answer."""
    content = responses.get("200", {}).get("content", {"text/plain": {}})
    kind = next((name for name in content if name != "application/json"), "application/json")
    return kind, _type_name(content[kind].get("schema", {})) if kind == "application/json" else ""


def _members(shape: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, member in shape.get("properties", {}).items():
        yield name, _type_name(member), member.get("description", "")


def _type_name(schema: Mapping[str, Any]) -> str:
    """Give a schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_type_name(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type_name(schema.get('items', {}))}"
    return str(schema.get("format", schema.get("type", "any")))
