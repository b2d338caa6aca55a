//! TLS between services: who is believed, a certificate that is replaced under way, and a port for those who look after the process.

use std::{fs, path::PathBuf, time::Duration};

use huiyin_chassis::{
    Tasks,
    auth::{Identity, IdentityConfig},
    client::{Neighbor, Neighbors, NeighborsConfig},
    secret,
    tls::{Tls, TlsConfig},
};
use huiyin_proto::event::v1::{GetEventFlowRequest, event_log_service_client::EventLogServiceClient};
use huiyin_testkit::eventually;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tonic::{Code, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::stand::Stand;

const SOON: Duration = Duration::from_secs(20);

/// Issues certificates.
struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut about = CertificateParams::new([]).unwrap();
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = about.self_signed(&key).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(about, key),
        }
    }

    /// Certificate and key for this machine.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let about = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = about.signed_by(&key, &self.issuer).unwrap().pem();
        (certificate, key.serialize_pem())
    }
}

/// The files of a certificate; they go with it.
struct Files(PathBuf);

impl Files {
    /// A certificate of `by`, for one who believes `believed`.
    fn new(by: &Authority, believed: &[&Authority]) -> Self {
        let name = format!("huiyin-tls-{}", secret::to_text(&secret::random_bytes::<9>()));
        let files = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&files.0).unwrap();
        files.replace(by, believed);
        files
    }

    fn replace(&self, by: &Authority, believed: &[&Authority]) {
        let (certificate, key) = by.issue();
        let authorities: String = believed
            .iter()
            .map(|authority| authority.certificate.as_str())
            .collect();
        self.write("tls.crt", &certificate);
        self.write("tls.key", &key);
        self.write("ca.crt", &authorities);
    }

    /// As a whole or not at all, as Kubernetes does it.
    fn write(&self, name: &str, text: &str) {
        let fresh = self.0.join("fresh");
        fs::write(&fresh, text).unwrap();
        fs::rename(fresh, self.0.join(name)).unwrap();
    }

    fn config(&self, mutual: bool) -> TlsConfig {
        TlsConfig {
            certificate_file: self.0.join("tls.crt"),
            key_file: self.0.join("tls.key"),
            ca_file: self.0.join("ca.crt"),
            require_client_certificate: mutual,
            reread_ms: 20,
        }
    }

    fn section(&self, mutual: bool) -> String {
        let at = self.0.display();
        format!(
            "[tls]\ncertificate_file = \"{at}/tls.crt\"\nkey_file = \"{at}/tls.key\"\nca_file = \"{at}/ca.crt\"\n\
             require_client_certificate = {mutual}\nreread_ms = 20\n"
        )
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Another service, as it reaches the stand.
fn neighbor(stand: &Stand, tls: Option<&TlsConfig>) -> EventLogServiceClient<Neighbor> {
    neighbor_by(stand, tls.map(|tls| Tls::open(tls).unwrap()))
}

fn neighbor_by(stand: &Stand, tls: Option<Tls>) -> EventLogServiceClient<Neighbor> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let urls = NeighborsConfig([("test".to_owned(), format!("{scheme}://{}", stand.address))].into());
    let identity = IdentityConfig {
        key_file: stand.key_file(),
        issuer: "us".to_owned(),
        audience: "huiyin".to_owned(),
    };
    let identity = Identity::new("neighbor", &identity, stand.clock.clone()).unwrap();
    EventLogServiceClient::new(Neighbors::new(&urls, identity, tls).connect("test").unwrap())
}

async fn ask(client: &mut EventLogServiceClient<Neighbor>) -> Result<(), Code> {
    let answer = client.get_event_flow(GetEventFlowRequest {}).await;
    answer.map(drop).map_err(|status| status.code())
}

#[tokio::test]
async fn services_speak_with_certificates_of_an_authority_that_both_believe() {
    let ours = Authority::new();
    let (served, called) = (Files::new(&ours, &[&ours]), Files::new(&ours, &[&ours]));
    for mutual in [false, true] {
        let stand = Stand::start("", &served.section(mutual)).await;
        assert_eq!(
            ask(&mut neighbor(&stand, Some(&called.config(false)))).await,
            Ok(()),
            "{mutual}"
        );
    }
}

#[tokio::test]
async fn whoever_is_not_believed_does_not_get_as_far_as_a_call() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let served = Files::new(&ours, &[&ours]);
    let stand = Stand::start("", &served.section(true)).await;
    let stranger = Files::new(&theirs, &[&ours, &theirs]);
    assert_eq!(
        ask(&mut neighbor(&stand, Some(&stranger.config(false)))).await,
        Err(Code::Unavailable),
        "its certificate is of another authority"
    );
    let wary = Files::new(&ours, &[&theirs]);
    assert_eq!(
        ask(&mut neighbor(&stand, Some(&wary.config(false)))).await,
        Err(Code::Unavailable),
        "it does not believe the service"
    );
    assert_eq!(
        ask(&mut neighbor(&stand, None)).await,
        Err(Code::Unavailable),
        "it speaks no TLS"
    );
    let welcome = Files::new(&ours, &[&ours]);
    assert_eq!(ask(&mut neighbor(&stand, Some(&welcome.config(false)))).await, Ok(()));
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_in_use_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let served = Files::new(&old, &[&old]);
    let stand = Stand::start("", &served.section(true)).await;
    let (early, late) = (Files::new(&old, &[&old]), Files::new(&new, &[&new]));
    let mut connected = neighbor(&stand, Some(&early.config(false)));
    assert_eq!(ask(&mut connected).await, Ok(()));
    assert_eq!(
        ask(&mut neighbor(&stand, Some(&late.config(false)))).await,
        Err(Code::Unavailable)
    );

    served.replace(&new, &[&new]);
    eventually("the new certificate is in use", SOON, async || {
        ask(&mut neighbor(&stand, Some(&late.config(false)))).await.is_ok()
    })
    .await;
    assert_eq!(ask(&mut connected).await, Ok(()), "a connection that stands goes on");
    assert_eq!(
        ask(&mut neighbor(&stand, Some(&early.config(false)))).await,
        Err(Code::Unavailable),
        "the old authority is believed no more"
    );
}

#[tokio::test]
async fn a_client_takes_a_new_certificate_for_its_next_connection() {
    let (old, new) = (Authority::new(), Authority::new());
    let called = Files::new(&old, &[&old]);
    let served = Files::new(&new, &[&new]);
    let stand = Stand::start("", &served.section(true)).await;
    let tls = Tls::open(&called.config(false)).unwrap();
    let mut tasks = Tasks::new(stand.shutdown.clone(), SOON);
    tls.follow(&mut tasks);
    let mut client = neighbor_by(&stand, Some(tls));
    assert_eq!(ask(&mut client).await, Err(Code::Unavailable));
    called.replace(&new, &[&new]);
    eventually("the same client gets through", SOON, async || {
        ask(&mut client).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn files_that_cannot_be_used_change_nothing() {
    let ours = Authority::new();
    let (served, called) = (Files::new(&ours, &[&ours]), Files::new(&ours, &[&ours]));
    let tls = Tls::open(&served.config(true)).unwrap();
    for (name, text) in [("tls.key", "no key"), ("tls.crt", ""), ("ca.crt", "")] {
        let broken = Files::new(&ours, &[&ours]);
        broken.write(name, text);
        assert!(Tls::open(&broken.config(true)).is_err(), "{name}");
    }
    let other = Files::new(&ours, &[&ours]);
    let another_key = fs::read_to_string(other.0.join("tls.key")).unwrap();
    served.write("tls.key", &another_key);
    assert!(tls.read_again().is_err(), "the key is not that of the certificate");
    let key = format!("{:?}", another_key.as_bytes());
    assert!(!format!("{:?}", Tls::open(&other.config(true)).unwrap()).contains(key.trim_matches(['[', ']'])));
    fs::remove_file(served.0.join("tls.crt")).unwrap();
    assert!(tls.read_again().is_err());

    served.replace(&ours, &[&ours]);
    let stand = Stand::start("", &served.section(true)).await;
    served.write("tls.crt", "no certificate");
    assert_eq!(ask(&mut neighbor(&stand, Some(&called.config(false)))).await, Ok(()));
}

#[tokio::test]
async fn the_port_for_probes_needs_no_certificate_and_no_token_and_says_when_the_service_drains() {
    let ours = Authority::new();
    let served = Files::new(&ours, &[&ours]);
    let limits = "drain_notice_ms = 60000, drain_ms = 100";
    let stand = Stand::start_probed(limits, &served.section(true)).await;
    let probes = stand.others["probes"];
    let channel = Endpoint::from_shared(format!("http://{probes}"))
        .unwrap()
        .connect_lazy();
    let mut health = HealthClient::new(channel);
    let mut status = async || {
        let request = HealthCheckRequest::default();
        health.check(request).await.unwrap().into_inner().status()
    };
    assert_eq!(status().await, ServingStatus::Serving);
    huiyin_chassis::install_crypto();
    let metrics = reqwest::get(format!("http://{probes}/metrics")).await.unwrap();
    assert_eq!(
        metrics.status(),
        404,
        "nothing is fetched where telemetry.prometheus is off"
    );
    stand.shutdown.request();
    eventually("it says that it drains", SOON, async || {
        status().await == ServingStatus::NotServing
    })
    .await;
}

#[tokio::test]
async fn whoever_watches_the_health_does_not_hold_the_process() {
    let mut stand = Stand::start_probed("drain_ms = 100", "").await;
    let probes = format!("http://{}", stand.others["probes"]);
    let mut health = HealthClient::new(Endpoint::from_shared(probes).unwrap().connect_lazy());
    let watching = health.watch(HealthCheckRequest::default()).await.unwrap();
    stand.shutdown.request();
    let ended = tokio::time::timeout(SOON, stand.tasks.join()).await;
    ended.unwrap().unwrap();
    drop(watching);
}
