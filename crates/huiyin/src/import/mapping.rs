//! Which column of a file is which field of a feedback.

use std::collections::BTreeMap;

use huiyin_chassis::sql;
use huiyin_proto::{
    intake::v1::{Contact, ContactKind, Demand, Feedback, Frequency, ProductContext, Urgency},
    r#type::v1::{Channel, CustomerTier, Impact},
};

/// The fields that a column may become.
const FIELDS: [&str; 22] = [
    "channel",
    "title",
    "description",
    "expectation",
    "product.model",
    "product.batch",
    "product.order_number",
    "product.device",
    "product.software_version",
    "product.purchase_channel",
    "frequency",
    "impact",
    "demand",
    "urgency",
    "emotion_level",
    "tier",
    "customer_reference",
    "contact.email",
    "contact.phone",
    "external_id",
    "language",
    "occur_time",
];

/// Column names that are understood without being told.
const KNOWN: [(&str, &str); 20] = [
    ("text", "description"),
    ("content", "description"),
    ("comment", "description"),
    ("review", "description"),
    ("描述", "description"),
    ("内容", "description"),
    ("标题", "title"),
    ("product", "product.model"),
    ("model", "product.model"),
    ("产品型号", "product.model"),
    ("batch", "product.batch"),
    ("批次号", "product.batch"),
    ("email", "contact.email"),
    ("mail", "contact.email"),
    ("邮箱", "contact.email"),
    ("phone", "contact.phone"),
    ("mobile", "contact.phone"),
    ("手机号", "contact.phone"),
    ("customer", "customer_reference"),
    ("id", "external_id"),
];

/// A mapping that was understood.
#[derive(Debug, Clone)]
pub struct Mapping {
    columns: BTreeMap<String, &'static str>,
    fixed: BTreeMap<&'static str, String>,
}

impl Mapping {
    /// Understands `COLUMN=FIELD` and `FIELD=VALUE` pairs.
    ///
    /// # Errors
    /// Names a pair that is none, or a field that there is not.
    pub fn new(map: &[String], set: &[String]) -> anyhow::Result<Self> {
        let mut columns: BTreeMap<String, &'static str> = KNOWN
            .iter()
            .copied()
            .chain(FIELDS.iter().map(|field| (*field, *field)))
            .map(|(column, field)| (column.to_owned(), field))
            .collect();
        let mut fixed = BTreeMap::from([("channel", "API".to_owned())]);
        for pair in map {
            let (column, name) = pair
                .split_once('=')
                .ok_or_else(|| anyhow::anyhow!("{pair:?} is not COLUMN=FIELD"))?;
            columns.insert(column.to_owned(), field(name)?);
        }
        for pair in set {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| anyhow::anyhow!("{pair:?} is not FIELD=VALUE"))?;
            fixed.insert(field(name)?, value.to_owned());
        }
        Ok(Self { columns, fixed })
    }

    /// The feedback of one line; columns that nobody mapped are passed over.
    ///
    /// # Errors
    /// Says which value is not one of its field's.
    pub fn feedback(&self, line: &BTreeMap<String, String>) -> Result<Feedback, String> {
        let mut values: BTreeMap<&str, &str> = self
            .fixed
            .iter()
            .map(|(field, value)| (*field, value.as_str()))
            .collect();
        for (column, value) in line {
            if let Some(field) = self.columns.get(column)
                && !value.is_empty()
            {
                values.insert(field, value);
            }
        }
        let text = |field: &str| values.get(field).map(|value| (*value).to_owned()).unwrap_or_default();
        let number = |field: &str, prefix: &str, read: fn(&str) -> Option<i32>| match values.get(field) {
            None => Ok(0),
            Some(value) => {
                let name = value.to_uppercase();
                let name = if name.starts_with(prefix) {
                    name
                } else {
                    format!("{prefix}{name}")
                };
                read(&name).ok_or_else(|| format!("{field}: {value:?} is not known"))
            }
        };
        let contact = [
            ("contact.email", ContactKind::Email),
            ("contact.phone", ContactKind::Phone),
        ]
        .into_iter()
        .find_map(|(field, kind)| {
            values.get(field).map(|address| Contact {
                kind: kind as i32,
                address: (*address).to_owned(),
            })
        });
        let occur_time = match values.get("occur_time") {
            None => None,
            Some(time) => Some(sql::to_proto(time.parse().map_err(|_| {
                format!("occur_time: {time:?} is not a time such as 2026-11-21T08:00:00Z")
            })?)),
        };
        let emotion_level = match values.get("emotion_level") {
            None => 0,
            Some(level) => level
                .trim()
                .parse()
                .map_err(|_| format!("emotion_level: {level:?} is not a whole number from 0 to 5"))?,
        };
        // Whoever has no customer of their own in the file is the customer of that one line.
        let customer_reference = if values.contains_key("customer_reference") || contact.is_some() {
            text("customer_reference")
        } else {
            text("external_id")
        };
        Ok(Feedback {
            channel: number("channel", "CHANNEL_", |name| {
                Channel::from_str_name(name).map(|value| value as i32)
            })?,
            title: text("title"),
            description: text("description"),
            expectation: text("expectation"),
            product: Some(ProductContext {
                model: text("product.model"),
                batch: text("product.batch"),
                order_number: text("product.order_number"),
                device: text("product.device"),
                software_version: text("product.software_version"),
                purchase_channel: text("product.purchase_channel"),
                purchase_time: None,
            }),
            frequency: number("frequency", "FREQUENCY_", |name| {
                Frequency::from_str_name(name).map(|value| value as i32)
            })?,
            impact: number("impact", "IMPACT_", |name| {
                Impact::from_str_name(name).map(|value| value as i32)
            })?,
            demand: number("demand", "DEMAND_", |name| {
                Demand::from_str_name(name).map(|value| value as i32)
            })?,
            urgency: number("urgency", "URGENCY_", |name| {
                Urgency::from_str_name(name).map(|value| value as i32)
            })?,
            emotion_level,
            tier: number("tier", "CUSTOMER_TIER_", |name| {
                CustomerTier::from_str_name(name).map(|value| value as i32)
            })?,
            customer_reference,
            contact,
            external_id: text("external_id"),
            source: "import".to_owned(),
            language: text("language"),
            occur_time,
            ..Feedback::default()
        })
    }
}

fn field(name: &str) -> anyhow::Result<&'static str> {
    FIELDS
        .iter()
        .find(|field| **field == name)
        .copied()
        .ok_or_else(|| anyhow::anyhow!("{name:?} is not a field; there are {}", FIELDS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(column, value)| ((*column).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn well_known_columns_need_no_mapping() {
        let mapping = Mapping::new(&[], &["channel=ECOMMERCE_REVIEW".to_owned()]).unwrap();
        let feedback = mapping
            .feedback(&line(&[
                ("id", "7"),
                ("text", "物流太慢"),
                ("label", "0"),
                ("product", "X1"),
            ]))
            .unwrap();
        assert_eq!(
            (
                feedback.description.as_str(),
                feedback.external_id.as_str(),
                feedback.customer_reference.as_str()
            ),
            ("物流太慢", "7", "7")
        );
        assert_eq!(feedback.channel(), Channel::EcommerceReview);
        assert_eq!(feedback.product.unwrap().model, "X1");
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert!(Mapping::new(&["text=descriptoin".to_owned()], &[]).is_err());
        let mapping = Mapping::new(&[], &[]).unwrap();
        assert!(
            mapping
                .feedback(&line(&[("text", "a"), ("tier", "GOLD")]))
                .unwrap_err()
                .contains("tier")
        );
    }
}
