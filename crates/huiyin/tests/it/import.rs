//! Files of feedback: what can be taken in is, what cannot is named, line by line.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use huiyin::{
    import::{ImportOptions, Report, import},
    link::Link,
};
use huiyin_chassis::Running;
use huiyin_proto::{
    intake::v1::{Feedback, ListFeedbacksRequest},
    r#type::v1::Channel,
};
use huiyin_testkit::{Source, Stage};
use rust_xlsxwriter::Workbook;

/// A stand with intake alone, and a folder for the test's files.
struct Stand {
    stage: Stage,
    _scheduler: Source,
    running: Running,
    folder: PathBuf,
}

impl Stand {
    async fn new(name: &str) -> Self {
        let stage = Stage::new().await;
        // Intake follows it; it tells nothing.
        let scheduler = stage.source("scheduler").await;
        let settings = format!(
            "[vault]\nkey = \"0123456789abcdef0123456789abcdef\"\n[attachments]\nstore = \"{}\"\n",
            stage.folder().join("attachments").display()
        );
        let config = stage.config("intake", &settings).await;
        let running = intake::start(config, stage.context()).await.unwrap();
        let folder = std::env::temp_dir().join(format!("huiyin_import_{name}_{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self {
            stage,
            _scheduler: scheduler,
            running,
            folder,
        }
    }

    fn link(&self) -> Link {
        let urls = BTreeMap::from([("intake", format!("http://{}", self.running.address))]);
        let token = self.stage.token("user:importer", "acme", &["integration"]);
        Link::new(&urls, &token, "acme").unwrap()
    }

    async fn import(&self, file: &Path, set: &[&str]) -> Report {
        let options = ImportOptions {
            file: file.to_owned(),
            map: Vec::new(),
            set: set.iter().map(|pair| (*pair).to_owned()).collect(),
            dry_run: false,
            import_id: None,
            quiet: true,
        };
        import(&self.link(), &options).await.unwrap()
    }

    async fn stored(&self) -> Vec<Feedback> {
        let mut client = self.link().intake();
        let mut stored = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListFeedbacksRequest {
                parent: "tenants/acme".to_owned(),
                page_size: 1000,
                page_token,
                ..ListFeedbacksRequest::default()
            };
            let page = client.list_feedbacks(request).await.unwrap().into_inner();
            stored.extend(page.feedbacks);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return stored;
            }
        }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The lines that the report names, with their violated fields; the file is taken away.
fn named(report: &Report) -> BTreeMap<i64, Vec<String>> {
    let file = report.errors_file.as_ref().unwrap();
    let text = fs::read_to_string(file).unwrap();
    fs::remove_file(file).unwrap();
    text.lines()
        .map(|line| {
            let refused: serde_json::Value = serde_json::from_str(line).unwrap();
            let fields = refused["violations"].as_object().unwrap().keys().cloned().collect();
            (refused["line"].as_i64().unwrap(), fields)
        })
        .collect()
}

/// 000-12, 002-12: 5,000 lines, every hundredth broken in one of five ways: named, and nothing else is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_broken_lines_of_five_thousand_are_named_and_lose_no_other() {
    let stand = Stand::new("csv").await;
    let mut text = String::from("\u{feff}id,内容,产品型号,urgency,emotion_level,occur_time\n");
    let mut broken = BTreeMap::new();
    for line in 1..=5000 {
        let good = format!("{line},\"第{line}条, 坏了\",X1,URGENT,3,2026-03-01T08:00:00+08:00\n");
        if line % 100 != 0 {
            text.push_str(&good);
            continue;
        }
        let (bad, field) = match line / 100 % 5 {
            0 => (format!("{line},坏了\n"), "line"),
            1 => (format!("{line},,X1,URGENT,3,\n"), "feedback.description"),
            2 => (format!("{line},坏了,X1,SOON,3,\n"), "line"),
            3 => (format!("{line},坏了,X1,URGENT,9,\n"), "feedback.emotion_level"),
            _ => (format!("{line},坏了,X1,URGENT,3,yesterday\n"), "line"),
        };
        text.push_str(&bad);
        broken.insert(line, vec![field.to_owned()]);
    }
    let file = stand.folder.join("five_thousand.csv");
    fs::write(&file, text).unwrap();

    let report = stand.import(&file, &["channel=ECOMMERCE_REVIEW"]).await;
    assert_eq!((report.accepted, report.refused), (4950, 50));
    assert_eq!(named(&report), broken);
    let stored = stand.stored().await;
    assert_eq!(stored.len(), 4950);
    assert!(
        stored
            .iter()
            .all(|feedback| feedback.channel() == Channel::EcommerceReview && feedback.emotion_level == 3)
    );
    let mut ids: Vec<i64> = stored
        .iter()
        .map(|feedback| feedback.external_id.parse().unwrap())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=5000).filter(|line| line % 100 != 0).collect::<Vec<i64>>());

    // The same file again takes nothing in twice.
    let again = stand.import(&file, &["channel=ECOMMERCE_REVIEW"]).await;
    // The last line never reached intake, which knows of the lines before it: it is named again.
    assert_eq!((again.accepted, again.settled_before, again.refused), (0, 4999, 1));
    assert_eq!(stand.stored().await.len(), 4950);
}

/// 000-13: a paper questionnaire typed into a spreadsheet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spreadsheet_is_taken_in_and_its_broken_rows_are_named() {
    let stand = Stand::new("xlsx").await;
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in (0..).zip(["id", "内容", "产品型号", "手机号", "emotion_level"]) {
        sheet.write(0, column, name).unwrap();
    }
    for row in 1..=20_u32 {
        sheet.write(row, 0, row).unwrap();
        if row != 7 {
            sheet.write(row, 1, format!("问卷第{row}份：屏幕闪烁")).unwrap();
        }
        sheet.write(row, 2, "X1").unwrap();
        sheet.write(row, 3, 13_800_138_000_i64 + i64::from(row)).unwrap();
        sheet.write(row, 4, if row == 9 { 2.5 } else { 2.0 }).unwrap();
    }
    let file = stand.folder.join("questionnaires.xlsx");
    fs::write(&file, book.save_to_buffer().unwrap()).unwrap();

    let report = stand.import(&file, &["channel=PAPER"]).await;
    assert_eq!((report.accepted, report.refused), (18, 2));
    let expected = [
        (7, vec!["feedback.description".to_owned()]),
        (9, vec!["line".to_owned()]),
    ];
    assert_eq!(named(&report), BTreeMap::from(expected));
    let stored = stand.stored().await;
    assert_eq!(stored.len(), 18);
    assert!(
        stored
            .iter()
            .all(|feedback| feedback.offline && feedback.contact_kind == 1 && feedback.emotion_level == 2)
    );
}
