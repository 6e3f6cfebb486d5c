"""An agent of PydanticAI that Omnia runs. It listens at the loopback, at the port that Omnia gives it."""

import os
from pathlib import Path

import uvicorn
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

key = Path(os.environ["OMNIA_PROVIDER_API_KEY_FILE"]).read_text().strip()
provider = OpenAIProvider(base_url=os.environ.get("OMNIA_PROVIDER_BASE_URL"), api_key=key)
agent = Agent(OpenAIChatModel(os.environ["OMNIA_PROVIDER_MODEL"], provider=provider))


@agent.tool_plain
def word_count(text: str) -> int:
    """Counts the words of a text."""
    return len(text.split())


async def run(request: Request) -> Response:
    # Without "client", the prompt of the PromptPack is dropped.
    return await AGUIAdapter.dispatch_request(request, agent=agent, manage_system_prompt="client")


app = Starlette(routes=[Route("/", run, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
