//! What the protos become: the messages, clients and servers of every service, and the descriptors of them all.
//!
//! Module = package: `huiyin.intake.v1` is [`intake::v1`]. A server's codec ([`codec`]) enforces the rules in its protos;
//! [`enums`] knows their enums by name; every List request gives its [`paging`] fields.

#![allow(
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::allow_attributes,
    missing_debug_implementations,
    unreachable_pub,
    unused_parens,
    reason = "generated code"
)]

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

pub mod codec;
pub mod enums;
pub mod paging;
mod parts;

/// A package: its messages and clients, and the validating servers of its services.
macro_rules! package {
    ($name:ident, $file:literal $(, $servers:literal)?) => {
        #[doc = concat!("`", $file, "`")]
        pub mod $name {
            /// Version 1.
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/", $file, ".rs"));
                $(include!(concat!(env!("OUT_DIR"), "/servers/", $servers, ".rs"));)?
            }
        }
    };
}

package!(r#type, "huiyin.r#type.v1");
package!(event, "huiyin.event.v1", "huiyin.event.v1");
package!(intake, "huiyin.intake.v1", "huiyin.intake.v1");
package!(classifier, "huiyin.classifier.v1", "huiyin.classifier.v1");
package!(scheduler, "huiyin.scheduler.v1", "huiyin.scheduler.v1");
package!(notification, "huiyin.notification.v1", "huiyin.notification.v1");
package!(survey, "huiyin.survey.v1", "huiyin.survey.v1");
package!(analytics, "huiyin.analytics.v1", "huiyin.analytics.v1");

/// Of others.
pub mod google {
    /// `google.longrunning`, with our access and validation rules.
    pub mod longrunning {
        include!(concat!(env!("OUT_DIR"), "/google/google.longrunning.rs"));
        include!(concat!(env!("OUT_DIR"), "/servers/google.longrunning.rs"));
    }
}

/// The validators that stand in the protos as annotations.
mod validators {
    use crate::{self as huiyin, google}; // the generated paths begin with the package
    include!(concat!(env!("OUT_DIR"), "/validate_impl.rs"));
}

/// The encoded descriptors of every proto, options and comments included, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/huiyin.binpb"));

/// The same, decoded.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    // Holds because the bytes come from this crate's own build.
    DescriptorPool::decode(DESCRIPTORS).expect("the embedded descriptors decode")
});
