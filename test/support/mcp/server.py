"""An MCP server on the Python SDK, over streamable HTTP on the port of its first argument, at /mcp."""

import asyncio
import sys

from mcp.server.mcpserver import Context, Image, MCPServer

server = MCPServer("sums")
cancelled = 0


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
async def wait(seconds: float) -> str:
    """Answers after a while."""
    global cancelled
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        cancelled += 1
        raise
    return "waited"


@server.tool()
def count_cancelled() -> int:
    """How many calls of wait were cancelled."""
    return cancelled


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("no luck at http://10.1.2.3:80/")


@server.tool()
def picture() -> Image:
    """Answers an image."""
    return Image(data=b"\x89PNG" * 1000, format="png")


@server.tool()
def crash() -> str:
    """Ends the server."""
    import os

    os._exit(1)


@server.tool()
async def grow(ctx: Context) -> str:
    """Adds a tool to the server."""
    server.add_tool(add, name="plus")
    await ctx.notify_tools_changed()
    return "grown"


server.run("streamable-http", port=int(sys.argv[1]))
