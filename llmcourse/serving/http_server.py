"""OpenAI's API over HTTP: completions and chat, whole or by server-sent events, within limits."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from llmcourse.inference import QueueFull
from llmcourse.serving.answering import Answering
from llmcourse.serving.engine_thread import EngineFailed, EngineThread, ShuttingDown
from llmcourse.serving.openai_requests import Ask, BadRequest, read_chat, read_completion
from llmcourse.serving.openai_responses import AnswerForm, error_body
from llmcourse.serving.text_codec import TextCodec

__all__ = ["ServerConfig", "make_app"]

_CLIENT_CLOSED = 499  # nobody reads it; logs do


@dataclass(frozen=True)
class ServerConfig:
    r"""What a server calls its model, and what it takes.

    Attributes:
        model: The name that clients ask for.
        max_context: Tokens of prompt and answer together.
        max_body_bytes: A larger request is refused before it is read.
        body_timeout_s: Seconds in which a request's body has to have come.
    """

    _: KW_ONLY
    model: str
    max_context: int
    max_body_bytes: int = 2**20
    body_timeout_s: float = 30.0

    def __post_init__(self) -> None:
        for name in ("max_context", "max_body_bytes", "body_timeout_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it has to be above 0")


class _Refused(Exception):
    def __init__(self, status: int, message: str, *, kind: str = "invalid_request_error", code: str | None = None):
        self.status, self.body = status, error_body(message, kind=kind, code=code)


class _Routes:
    def __init__(self, thread: EngineThread, codec: TextCodec, config: ServerConfig) -> None:
        self._thread, self._codec, self._config = thread, codec, config

    async def models(self) -> dict[str, Any]:
        model = {"id": self._config.model, "object": "model", "created": 0, "owned_by": "llmcourse"}
        return {"object": "list", "data": [model]}

    async def health(self) -> dict[str, Any]:
        return {"status": "ok", "requests": self._thread.n_open}

    async def completions(self, request: Request) -> Response:
        body = await self._read(request)
        return await self._answer(request, read_completion(body, self._codec, max_context=self._config.max_context))

    async def chat(self, request: Request) -> Response:
        body = await self._read(request)
        return await self._answer(request, read_chat(body, self._codec, max_context=self._config.max_context))

    async def _read(self, request: Request) -> dict[str, Any]:
        # Of what a browser lets any page send to any address, JSON is not a part: it would have to ask first.
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise _Refused(415, f"the content type is {kind!r:.100}: send application/json")
        try:
            async with asyncio.timeout(self._config.body_timeout_s):
                raw = await self._read_bytes(request)
        except TimeoutError:
            raise _Refused(408, "the request did not come in time") from None
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise _Refused(400, f"the request is no JSON: {error}") from None
        if not isinstance(body, dict):
            raise _Refused(400, "the request has to be a JSON object")
        if body.get("model") != self._config.model:
            message = f"there is no model {body.get('model')!r:.200}, only {self._config.model!r}"
            raise _Refused(404, message, code="model_not_found")
        return body

    async def _read_bytes(self, request: Request) -> bytes:
        limit, raw = self._config.max_body_bytes, bytearray()
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > limit:
            raise _Refused(413, f"the request has {length} bytes, and no more than {limit} may be sent")
        async for part in request.stream():
            raw += part
            if len(raw) > limit:
                raise _Refused(413, f"the request has more than the {limit} bytes that may be sent")
        return bytes(raw)

    async def _answer(self, request: Request, ask: Ask) -> Response:
        try:
            answering = Answering(self._thread, self._codec, ask)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        form = AnswerForm(ask, self._config.model)
        if ask.stream:
            return StreamingResponse(
                _events(answering, form), media_type="text/event-stream", headers={"cache-control": "no-store"}
            )
        writing, gone = asyncio.ensure_future(answering.whole()), asyncio.ensure_future(_until_gone(request))
        try:
            await asyncio.wait((writing, gone), return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                return Response(status_code=_CLIENT_CLOSED)
            piece = writing.result()
        finally:
            for task in (writing, gone):
                task.cancel()
            answering.cancel()  # a task that is cancelled before it began does not do it
        assert piece.reason is not None
        return JSONResponse(form.whole(piece.text, piece.reason, n_new=piece.n_new))


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(answering: Answering, form: AnswerForm) -> AsyncIterator[str]:
    """Write an answer as server-sent events. Headers are sent by now, so that an error is an event as well."""
    try:
        opening, n_new = form.opening(), 0
        if opening is not None:
            yield _event(opening)
        async with contextlib.aclosing(answering.pieces()) as pieces:
            async for piece in pieces:
                n_new = piece.n_new
                yield _event(form.piece(piece.text, piece.reason))
        if form.ask.include_usage:
            yield _event(form.usage(n_new=n_new))
        yield "data: [DONE]\n\n"
    except (EngineFailed, ShuttingDown) as error:
        yield _event(error_body(str(error), kind="server_error"))
    finally:
        answering.cancel()


def _event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def make_app(thread: EngineThread, codec: TextCodec, config: ServerConfig) -> FastAPI:
    r"""Put an engine behind ``/v1/completions``, ``/v1/chat/completions``, ``/v1/models`` and ``/health``.

    Errors have OpenAI's form and status: 400 for what cannot be served, 404 for another model, 413 for too large a
    body, 415 for other than JSON, 429 with ``Retry-After`` where the queue is full, 503 while shutting down, 500 where
    the model fails. A client that hangs up ends its request. When the application shuts down, what runs is finished
    first.

    Args:
        thread: The engine's.
        codec: The model's.
        config: Names and limits.

    Returns:
        An ASGI application.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(thread.close)

    # No pages of documentation: they load their scripts from elsewhere.
    app = FastAPI(title="llmcourse", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    routes = _Routes(thread, codec, config)
    app.add_api_route("/v1/models", routes.models, methods=["GET"])
    app.add_api_route("/health", routes.health, methods=["GET"])
    app.add_api_route("/v1/completions", routes.completions, methods=["POST"], response_model=None)
    app.add_api_route("/v1/chat/completions", routes.chat, methods=["POST"], response_model=None)
    for kind in (_Refused, BadRequest, QueueFull, ShuttingDown, EngineFailed, HTTPException):
        app.add_exception_handler(kind, _refuse)
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    kind, message = "invalid_request_error", str(error)
    if isinstance(error, _Refused):
        # What is left of a body that was not read would be taken for the next request's beginning.
        headers = {"connection": "close"} if error.status in (408, 413, 415) else None
        return JSONResponse(error.body, error.status, headers=headers)
    if isinstance(error, BadRequest):
        return JSONResponse(error_body(message, kind=kind, param=error.param, code=error.code), 400)
    if isinstance(error, QueueFull):
        body = error_body(message, kind="rate_limit_error", code="rate_limit_exceeded")
        return JSONResponse(body, 429, headers={"retry-after": "1"})
    if isinstance(error, HTTPException):
        return JSONResponse(error_body(str(error.detail), kind=kind), error.status_code, headers=error.headers)
    return JSONResponse(error_body(message, kind="server_error"), 503 if isinstance(error, ShuttingDown) else 500)
