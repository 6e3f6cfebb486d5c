"""Serves shop.proto by grpcio with its reflection on loopback, until its input ends: serve.py PORT [REFLECTION [CERTIFICATE KEY]]

Port 0 is any free one. The line "listening on PORT" says that it is ready. Each call is told by the line "called METHOD", each that its
client cancelled by "cancelled METHOD". REFLECTION is "yes" or "no".
"""

import os
import sys
import time
from concurrent import futures

import grpc
from google.protobuf import empty_pb2, wrappers_pb2
from grpc_reflection.v1alpha import reflection

import shop_pb2
import shop_pb2_grpc
import store_pb2
import store_pb2_grpc

port, reflected, certificate, key = (sys.argv[1:] + ["yes", "", ""])[:4] if len(sys.argv) < 5 else sys.argv[1:5]


def tell(text):
    os.write(1, f"{text}\n".encode())


CODES = {code.value[0]: code for code in grpc.StatusCode}


class Shop(shop_pb2_grpc.ShopServicer):
    def GetOrder(self, request, context):
        tell("called GetOrder")
        if request.order_id == "none":
            context.abort(grpc.StatusCode.NOT_FOUND, "order none is not there")
        return shop_pb2.Order(order_id=request.order_id, state=shop_pb2.STATE_SENT, cents=9007199254740993)

    def PlaceOrder(self, request, context):
        tell("called PlaceOrder")
        return request

    def Echo(self, request, context):
        tell("called Echo")
        return request

    def WatchOrders(self, request, context):
        tell("called WatchOrders")
        for number in range(request.count):
            if not context.is_active():
                tell("cancelled WatchOrders")
                return
            yield shop_pb2.Order(order_id=str(number))
            time.sleep(request.seconds)
        if request.fails:
            context.abort(grpc.StatusCode.INTERNAL, "no more orders")

    def Fail(self, request, context):
        tell("called Fail")
        context.abort(CODES[request.code], request.message)

    def Wait(self, request, context):
        tell("called Wait")
        context.add_callback(lambda: tell("cancelled Wait") if not done else None)
        done = []
        end = time.monotonic() + request.seconds
        while time.monotonic() < end and context.is_active():
            time.sleep(0.01)
        if context.is_active():
            done.append(True)
        return empty_pb2.Empty()

    def SendBytes(self, request, context):
        tell("called SendBytes")
        return shop_pb2.BytesReply(text="x" * request.size)

    def Headers(self, request, context):
        tell("called Headers")
        headers = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        return shop_pb2.HeadersReply(headers=headers)

    def At(self, request, context):
        tell("called At")
        return wrappers_pb2.StringValue(value=request.ToJsonString())


class Store(store_pb2_grpc.ShopServicer):
    def GetOrder(self, request, context):
        tell("called store GetOrder")
        return shop_pb2.Order(order_id=f"store {request.order_id}")


server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=32),
    options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)],
)
shop_pb2_grpc.add_ShopServicer_to_server(Shop(), server)
names = [shop_pb2.DESCRIPTOR.services_by_name["Shop"].full_name, reflection.SERVICE_NAME]
if os.environ.get("WITH_STORE") == "yes":
    store_pb2_grpc.add_ShopServicer_to_server(Store(), server)
    names.append(store_pb2.DESCRIPTOR.services_by_name["Shop"].full_name)
if reflected == "yes":
    reflection.enable_server_reflection(names, server)
address = f"127.0.0.1:{port}"
if certificate:
    credentials = grpc.ssl_server_credentials([(open(key, "rb").read(), open(certificate, "rb").read())])
    port = server.add_secure_port(address, credentials)
else:
    port = server.add_insecure_port(address)
server.start()
tell(f"listening on {port}")
# The end of the input means that the test is gone, however it ended.
sys.stdin.read()
os._exit(0)
