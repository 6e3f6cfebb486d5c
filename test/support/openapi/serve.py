"""A shop as people write it with FastAPI. Its own document is what the tests read, and its own checks judge what comes back."""

import datetime
import enum
import socket
import sys
from typing import Annotated

import fastapi
import pydantic
import uvicorn
from fastapi.security import APIKeyHeader, HTTPBearer

app = fastapi.FastAPI(title="Shop")


class Kind(str, enum.Enum):
    book = "book"
    game = "game"


class Part(pydantic.BaseModel):
    name: str
    parts: list["Part"] = []


class Item(pydantic.BaseModel):
    id: int = pydantic.Field(gt=0, lt=1000)
    name: str = pydantic.Field(min_length=1, max_length=20)
    kind: Kind = Kind.book
    price: float | None = None
    tags: set[str] = set()
    part: Part | None = None
    since: datetime.date | None = None


class Cat(pydantic.BaseModel):
    kind: str = pydantic.Field("cat", pattern="^cat$")
    lives: int


class Dog(pydantic.BaseModel):
    kind: str = pydantic.Field("dog", pattern="^dog$")
    bark: bool


@app.get("/items/{id}")
def read_item(
    id: int,
    q: str | None = None,
    tags: Annotated[list[str], fastapi.Query()] = [],
    x_trace: Annotated[str | None, fastapi.Header()] = None,
    shade: Annotated[str | None, fastapi.Cookie()] = None,
):
    if id == 404:
        raise fastapi.HTTPException(404, detail="there is no such item")
    return {"id": id, "q": q, "tags": tags, "x_trace": x_trace, "shade": shade}


@app.put("/items/{id}")
def put_item(id: int, item: Item, id_header: Annotated[int | None, fastapi.Header(alias="id")] = None):
    return {"path": id, "header": id_header, "item": item}


@app.post("/pairs")
def make_pair(item: Item, part: Part):
    return {"item": item, "part": part}


@app.post("/notes")
def add_note(item: Item | None = None):
    return {"item": item}


@app.post("/pets")
def add_pet(pet: Cat | Dog):
    return {"pet": pet}


@app.post("/lists")
def add_items(items: list[Item]):
    return {"count": len(items)}


@app.post("/forms")
def send_form(user: Annotated[str, fastapi.Form()], tags: Annotated[list[str], fastapi.Form()] = []):
    return {"user": user, "tags": tags}


@app.post("/uploads")
def upload(file: fastapi.UploadFile):
    return {"name": file.filename}


@app.post("/many-uploads")
def upload_many(files: list[fastapi.UploadFile], note: Annotated[str, fastapi.Form()] = ""):
    return {"count": len(files)}


@app.get("/files/{file_path:path}")
def read_file(file_path: str):
    return {"path": file_path}


@app.get("/pages", response_class=fastapi.responses.HTMLResponse)
def read_page():
    return "<p>a page of the shop</p>"


@app.delete("/items/{id}", status_code=204)
def remove_item(id: int):
    return fastapi.Response(status_code=204)


@app.get("/orders", dependencies=[fastapi.Depends(APIKeyHeader(name="X-Shop-Key"))])
def read_orders(
    bearer: Annotated[fastapi.security.HTTPAuthorizationCredentials, fastapi.Depends(HTTPBearer())],
    x_shop_key: Annotated[str | None, fastapi.Header()] = None,
):
    return {"authorized": bearer.credentials == "key-of-the-shop", "key": x_shop_key}


listener = socket.socket()
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(64)
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
