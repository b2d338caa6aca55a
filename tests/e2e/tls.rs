//! The command that people type, towards a service that speaks mutual TLS.

use std::{fs, process::Stdio, time::Duration};

use huiyin_e2e::binary;
use huiyin_embedded::{Process, Signal};
use huiyin_testkit::eventually;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::process::Desk;

const SOON: Duration = Duration::from_secs(60);
/// What the certificate holds for: not the address by which the service is called. That nobody gets in without one, or with that of
/// another authority, the chassis' own tests show.
const NAME: &str = "huiyin-intake.shop.svc";

#[tokio::test]
async fn the_command_comes_with_a_certificate_and_believes_an_authority_of_the_enterprise() {
    let desk = Desk::new().await;
    let file = |name: &str| desk.files.folder().join(name).display().to_string();
    let authority = KeyPair::generate().unwrap();
    let mut about = CertificateParams::new([]).unwrap();
    about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(file("ca.crt"), about.self_signed(&authority).unwrap().pem()).unwrap();
    let issuer = Issuer::new(about, authority);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([NAME.to_owned()]).unwrap();
    fs::write(file("tls.crt"), certificate.signed_by(&key, &issuer).unwrap().pem()).unwrap();
    fs::write(file("tls.key"), key.serialize_pem()).unwrap();

    let (certificate, key, ca) = (file("tls.crt"), file("tls.key"), file("ca.crt"));
    let database = desk.database.url();
    let serving = [
        ("HUIYIN_INTAKE__SERVICE__DATABASE__URL", database.as_str()),
        ("HUIYIN_INTAKE__SERVICE__TLS__CERTIFICATE_FILE", certificate.as_str()),
        ("HUIYIN_INTAKE__SERVICE__TLS__KEY_FILE", key.as_str()),
        ("HUIYIN_INTAKE__SERVICE__TLS__CA_FILE", ca.as_str()),
        ("HUIYIN_INTAKE__SERVICE__TLS__REQUIRE_CLIENT_CERTIFICATE", "true"),
    ];
    let mut intake = desk.command("intake", &[], &serving);
    let log = fs::File::create(file("intake.log")).unwrap();
    intake.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null());
    let intake = Process::spawn(intake, Signal::KILL).unwrap();
    fs::write(
        file("one.jsonl"),
        "{\"id\": \"1\", \"text\": \"支付的时候一直转圈，付不了款\"}\n",
    )
    .unwrap();

    let import = || {
        let mut command = Process::command(binary("huiyin"), Signal::KILL);
        let url = format!("https://{}", desk.files.addresses().unwrap()["intake"]);
        command
            .arg("--folder")
            .arg(desk.files.folder())
            .args(["import", "--quiet", &file("one.jsonl")])
            .env("HUIYIN_INTAKE_URL", url)
            .env("HUIYIN_TLS_NAME", "huiyin-{service}.shop.svc")
            .env("HUIYIN_CA_FILE", &ca)
            .env("HUIYIN_CERTIFICATE_FILE", &certificate)
            .env("HUIYIN_KEY_FILE", &key);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(()).ok_or(told)
    };
    eventually("the import is answered", SOON, async || {
        import().map_err(|told| format!("{told}\n{}", fs::read_to_string(file("intake.log")).unwrap_or_default()))
    })
    .await;
    intake.signal(Signal::KILL);
    intake.ended().await;
}
