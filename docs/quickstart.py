"""Quick start in Python: create feedback, watch it arrive, read a metric. Needs: pip install grpcio grpcio-reflection."""

import datetime
import os

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

TOKEN = [("authorization", "Bearer " + os.environ["HUIYIN_TOKEN"])]


class WithToken(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Adds the token to every call, those of reflection among them."""

    def _with_token(self, proceed, details, request):
        return proceed(details._replace(metadata=list(details.metadata or []) + TOKEN), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_stream = _with_token


class Service:
    """A gRPC service whose messages are learnt from the server itself."""

    def __init__(self, address, name):
        self.channel = grpc.intercept_channel(grpc.insecure_channel(address), WithToken())
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
        self.service = self.pool.FindServiceByName(name)

    def call(self, method, **fields):
        """Calls a method; a stream of answers comes as an iterator."""
        method = self.service.FindMethodByName(method)
        request = GetMessageClass(method.input_type)(**fields)
        kind = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        answer = GetMessageClass(method.output_type).FromString
        path = f"/{self.service.full_name}/{method.name}"
        return kind(path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=answer)(request)


intake = Service(os.environ.get("HUIYIN_INTAKE", "127.0.0.1:50051"), "huiyin.intake.v1.IntakeService")
analytics = Service(os.environ.get("HUIYIN_ANALYTICS", "127.0.0.1:50056"), "huiyin.analytics.v1.AnalyticsService")

# Watch first: the first answer is a checkpoint with a cursor, and whatever comes after it is seen.
changes = intake.call("WatchFeedbacks", parent="tenants/demo")
next(changes)

created = intake.call("CreateFeedback", parent="tenants/demo", feedback={
    "channel": "CHANNEL_WEB_FORM",
    "description": "新版本一打开相册就闪退，希望尽快修复",
    "customer_reference": "crm-1042",
})
print("created", created.number, created.name)

for change in changes:
    found = [feedback for feedback in change.feedbacks if feedback.name == created.name]
    if found:
        print("watched", found[0].number, found[0].description)
        break

# Analytics hears of it a moment later: ask until it counts it.
now = datetime.datetime.now(datetime.timezone.utc)
day = datetime.timedelta(days=1)
while True:
    answer = analytics.call("QueryMetric", parent="tenants/demo", metric="metrics/volume",
                            interval={"start_time": now - day, "end_time": now + day})
    if answer.rows and answer.rows[0].value >= 1:
        print(f"volume {answer.rows[0].value:.0f}", "—", answer.metric.definition.en)
        break
