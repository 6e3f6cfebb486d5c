"""A runtime that speaks omnia.runtime.v1: it remembers each session by itself, and needs no model."""

import os
from concurrent import futures

import grpc

messages, services = grpc.protos_and_services("runtime.proto")


class Runtime(services.RuntimeServiceServicer):
    def __init__(self):
        self.sessions = {}

    def Converse(self, requests, context):
        for request in requests:
            said = self.sessions.setdefault(request.session_id, [])
            said.append(request.content)
            for word in f"You said: {', then: '.join(said)}.".split(" "):
                yield messages.ServerMessage(chunk=messages.Chunk(content=word + " "))
            usage = messages.Usage(input_tokens=len(said), output_tokens=1)
            yield messages.ServerMessage(done=messages.Done(usage=usage))

    def Health(self, request, context):
        return messages.HealthResponse(healthy=True, status="ready", contract_version="1.3.0")

    def HasConversation(self, request, context):
        known = request.session_id in self.sessions
        state = messages.RESUME_STATE_RESUMABLE if known else messages.RESUME_STATE_NOT_FOUND
        return messages.HasConversationResponse(state=state)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=32))
services.add_RuntimeServiceServicer_to_server(Runtime(), server)
server.add_insecure_port(f"127.0.0.1:{os.environ.get('PORT', '9000')}")
server.start()
print("listening", flush=True)
server.wait_for_termination()
