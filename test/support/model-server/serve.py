"""Serves a model by llama.cpp's own HTTP server on loopback, until its input ends: serve.py MODEL PORT KEY CONTEXT

Port 0 is any free one. The line "listening on URL" says that it is ready. Each of the eight slots has CONTEXT tokens.
"""

import os
import sys

import xllamacpp

model, port, key, context = sys.argv[1:5]
parameters = xllamacpp.CommonParams()
parameters.model.path = model
parameters.model_alias = {"tiny"}
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(port)
parameters.api_keys = [key]
parameters.n_parallel = 8
parameters.n_ctx = 8 * int(context)
parameters.kv_unified = False
parameters.use_jinja = True
parameters.warmup = False
server = xllamacpp.Server(parameters)
# In one write, since the server's own log goes the same way.
os.write(1, f"listening on {server.listening_address}\n".encode())
# The end of the input means that the test is gone, however it ended.
sys.stdin.read()
os._exit(0)
