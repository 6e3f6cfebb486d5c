"""A graph of LangGraph that Omnia runs. It listens at the loopback, at the port that Omnia gives it."""

import asyncio
import os
from pathlib import Path

import uvicorn
from ag_ui.core import EventType, RunAgentInput, RunErrorEvent
from ag_ui.encoder import EventEncoder
from ag_ui_langgraph import LangGraphAgent
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langchain_core.messages import SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

key = Path(os.environ["OMNIA_PROVIDER_API_KEY_FILE"]).read_text().strip()
model = ChatOpenAI(
    model=os.environ["OMNIA_PROVIDER_MODEL"],
    base_url=os.environ.get("OMNIA_PROVIDER_BASE_URL"),
    api_key=key,
)


@tool
def word_count(text: str) -> int:
    """Counts the words of a text."""
    return len(text.split())


class State(MessagesState):
    # The tools of the registry, which Omnia runs, and the prompt of the PromptPack.
    tools: list
    omnia: dict


async def answer(state: State) -> dict:
    # One call at a time, so that an answer has either calls of the graph or calls of Omnia.
    tools = [word_count, *state.get("tools", [])]
    bound = model.bind_tools(tools, parallel_tool_calls=False)
    prompt = SystemMessage(state["omnia"]["prompt"])
    return {"messages": [await bound.ainvoke([prompt, *state["messages"]])]}


def next_node(state: State) -> str:
    calls = getattr(state["messages"][-1], "tool_calls", [])
    # A call of another tool ends the run: Omnia makes it, and asks again with its result.
    return "tools" if any(call["name"] == "word_count" for call in calls) else END


graph = StateGraph(State)
graph.add_node("answer", answer)
graph.add_node("tools", ToolNode([word_count]))
graph.add_edge(START, "answer")
graph.add_conditional_edges("answer", next_node, ["tools", END])
graph.add_edge("tools", "answer")
memory = InMemorySaver()
agent = LangGraphAgent(name="assistant", graph=graph.compile(checkpointer=memory))

app = FastAPI()


@app.post("/")
async def run(given: RunAgentInput) -> StreamingResponse:
    encoder = EventEncoder()
    events: asyncio.Queue = asyncio.Queue(maxsize=64)

    async def run_graph() -> None:
        try:
            async for event in agent.clone().run(given):
                await events.put(encoder.encode(event))
        except Exception:
            error = RunErrorEvent(type=EventType.RUN_ERROR, message="the graph failed")
            await events.put(encoder.encode(error))
            raise
        finally:
            await events.put(None)

    async def stream():
        # In a task of its own the graph ends when Omnia stops listening.
        task = asyncio.create_task(run_graph())
        try:
            while (event := await events.get()) is not None:
                yield event
            await task
        finally:
            task.cancel()
            # Omnia keeps the conversation, and sends all of it each time.
            memory.delete_thread(given.thread_id)

    return StreamingResponse(stream(), media_type="text/event-stream")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
