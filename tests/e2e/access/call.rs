//! Calling any method with a message that was made by reflection.

use std::collections::BTreeMap;

use huiyin::suite::SERVICES;
use huiyin_e2e::Suite;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

/// What came back, as far as a caller can tell answers apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) code: Code,
    pub(super) reason: String,
    pub(super) violations: Vec<String>,
    message: String,
}

impl Answer {
    /// The same without the name that the caller itself gave.
    pub(super) fn without(&self, tenant: &str) -> Self {
        Self {
            message: self.message.replace(tenant, "*"),
            ..self.clone()
        }
    }
}

impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        Self {
            code: status.code(),
            reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
            violations: details
                .bad_request()
                .map(|bad| {
                    bad.field_violations
                        .iter()
                        .map(|violation| violation.field.clone())
                        .collect()
                })
                .unwrap_or_default(),
            message: status.message().to_owned(),
        }
    }
}

/// Somebody with a token.
pub(super) struct Caller {
    channels: BTreeMap<&'static str, Channel>,
    token: String,
    roles: Vec<&'static str>,
}

impl Caller {
    pub(super) fn new(suite: &Suite, token: &str) -> Self {
        let addresses = suite.files.addresses().unwrap();
        let channel = |service: &&'static str| {
            (
                *service,
                Endpoint::from_shared(format!("http://{}", addresses[*service]))
                    .unwrap()
                    .connect_lazy(),
            )
        };
        Self {
            channels: SERVICES.iter().map(channel).collect(),
            token: token.to_owned(),
            roles: vec!["admin"],
        }
    }

    /// True where the administrator's role grants it.
    pub(super) fn may(&self, method: &MethodDescriptor) -> bool {
        let rule = super::rule(method);
        rule.token_bound
            || self
                .roles
                .iter()
                .any(|role| huiyin_chassis::auth::grants(role, &rule.permission))
    }

    pub(super) async fn call(&self, room: &str, method: &MethodDescriptor, request: &DynamicMessage) -> Answer {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        self.call_path(room, &path, request.encode_to_vec()).await
    }

    /// One message in, the first out: enough to see who is let in, whether or not either side streams.
    pub(super) async fn call_path(&self, room: &str, path: &str, request: Vec<u8>) -> Answer {
        let mut client = tonic::client::Grpc::new(self.channels[room].clone());
        client.ready().await.unwrap();
        let mut request = tonic::Request::new(tokio_stream::iter([request]));
        request.set_timeout(std::time::Duration::from_secs(10));
        if !self.token.is_empty() {
            request
                .metadata_mut()
                .insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        }
        let outcome = match client.streaming(request, path.parse().unwrap(), Bytes).await {
            Ok(answers) => answers.into_inner().message().await.map(|_| ()),
            Err(status) => Err(status),
        };
        match outcome {
            Ok(()) => Answer {
                code: Code::Ok,
                reason: "OK".to_owned(),
                violations: Vec::new(),
                message: String::new(),
            },
            Err(status) => status.into(),
        }
    }
}

/// Messages that are encoded already.
#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        prost::bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use prost::bytes::Buf as _;
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}
