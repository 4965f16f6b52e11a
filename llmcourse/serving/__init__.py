"""A model behind an HTTP endpoint: the engine of chapter 6, spoken to as one speaks to OpenAI's API.

``llmcourse.serving.http_server`` needs FastAPI, so import it by its name.
"""

from llmcourse.serving.engine_thread import EngineFailed, EngineThread, ShuttingDown, Ticket

__all__ = ["EngineFailed", "EngineThread", "ShuttingDown", "Ticket"]
