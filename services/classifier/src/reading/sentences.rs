//! Sentences of our own, each with what the built-in taxonomy must say of it.

use super::{
    fold,
    lexicon::Lexicon,
    verdict::{Spoken, Statement, read},
};
use crate::{
    domain::{
        Impact::{self, Fatal, Minor, Serious},
        Sentiment::{self, Negative, Neutral, Positive},
        Tier,
    },
    taxonomy::builtin::Builtin,
};

/// Text, category, tendency, impact, and the word that spoke for the category, as the taxonomy has it.
type Sentence = (&'static str, &'static str, Sentiment, Impact, &'static str);

/// 001-21, 001-31, 002-01 … 002-05, 003-22, 004-12.
const SENTENCES: &[Sentence] = &[
    // Simplified Chinese: function, performance, hardware.
    ("APP一打开就闪退，已经重装三次了", "function.crash", Negative, Serious, "闪退"),
    ("更新后软件经常崩溃", "function.crash", Negative, Serious, "崩溃"),
    ("无法登录，一直提示密码错误", "function.login", Negative, Serious, "无法登录"),
    ("收不到验证码，注册不了", "function.login", Negative, Serious, "收不到验证码"),
    ("点提交按钮没反应", "function.defect", Neutral, Serious, "没反应"),
    ("报表上传失败，请修复", "function.defect", Negative, Serious, "上传失败"),
    ("功能缺失，连导出都不支持", "function.missing", Neutral, Minor, "功能缺失"),
    ("首页加载慢，滑动很卡", "performance.lag", Negative, Serious, "加载慢"),
    ("手机发烫还费电", "performance.power", Negative, Serious, "费电"),
    ("电脑又蓝屏了", "hardware.fault", Negative, Serious, "蓝屏"),
    ("新买的打印机无法开机", "hardware.fault", Negative, Serious, "无法开机"),
    ("操作复杂，老人家看不懂", "experience.complexity", Negative, Minor, "操作复杂"),
    ("弹窗和广告太多了，界面丑", "experience.interface", Negative, Minor, "广告太多"),
    // Orders, logistics, payment.
    ("取消订单失败，一直显示处理中", "order.operation", Negative, Serious, "取消订单"),
    ("物流太慢，等了一周还没到货", "logistics.delay", Negative, Serious, "物流太慢"),
    ("收到时包裹破损，杯子碎了", "logistics.damage", Negative, Serious, "包裹破损"),
    ("快递显示已签收，但我没收到货", "logistics.lost", Neutral, Serious, "没收到货"),
    ("商家发错货了，尺码发错", "logistics.wrong", Negative, Serious, "发错货"),
    ("退款超时，已经半个月了", "payment.refund", Negative, Serious, "退款超时"),
    ("一笔订单重复扣款", "payment.deduction", Neutral, Serious, "重复扣款"),
    ("发票抬头开错了，麻烦重开", "payment.invoice", Negative, Minor, "发票"),
    // Goods, service, after-sales, price.
    ("衣服质量差，洗一次就掉色起球", "quality.defect", Negative, Serious, "掉色"),
    ("实物与描述不符，色差严重", "quality.mismatch", Negative, Serious, "与描述不符"),
    ("怀疑是假货，不是正品", "quality.counterfeit", Negative, Serious, "假货"),
    ("客服态度恶劣，非常生气", "service.attitude", Negative, Serious, "态度恶劣"),
    ("打了五次电话都没人接", "service.response", Negative, Serious, "没人接"),
    ("客服答非所问，一问三不知", "service.answer", Neutral, Serious, "答非所问"),
    ("退货审核太严，不给退", "after_sales.process", Negative, Serious, "退货审核"),
    ("空调修了两次都没修好", "after_sales.repair", Negative, Serious, "没修好"),
    ("优惠券用不了，活动规则不清", "price.promotion", Negative, Serious, "优惠券用不了"),
    ("价格太高，不划算", "price.level", Negative, Minor, "不划算"),
    // Suggestions, questions, praise.
    ("建议增加夜间模式", "suggestion.feature", Neutral, Minor, "建议增加"),
    ("希望多些优惠和会员福利", "suggestion.operation", Neutral, Minor, "会员福利"),
    ("请问怎么设置定时提醒？", "consultation", Neutral, Minor, "怎么设置"),
    ("五星好评，非常满意", "praise", Positive, Minor, "五星好评"),
    // Safety and collective: 002-21.
    ("充电的时候电池鼓包，差点起火", "safety.fire", Negative, Fatal, "起火"),
    ("孩子被漏电的插座电到了", "safety.injury", Neutral, Fatal, "漏电"),
    ("面包发霉，吃完拉肚子", "safety.food", Negative, Serious, "发霉"),
    ("高速上刹车失灵", "safety.vehicle", Neutral, Fatal, "刹车失灵"),
    ("我的账号被盗刷了三千块", "safety.privacy", Neutral, Fatal, "被盗刷"),
    ("这是诈骗，我要起诉你们", "safety.compliance", Negative, Fatal, "诈骗"),
    ("最近大面积延误，很多人都反映", "collective", Negative, Fatal, "大面积"),
    // Catering and vehicles.
    ("送餐太慢，等了一个小时才送到", "catering.delay", Negative, Serious, "送餐太慢"),
    ("味道一般，米饭太硬", "catering.taste", Negative, Minor, "味道"),
    ("汤都洒了，餐盒也坏了", "catering.packaging", Negative, Serious, "餐盒"),
    ("骑手态度很好，很有礼貌", "catering.rider", Positive, Minor, "骑手态度"),
    ("少送了一份饮料，没有餐具", "catering.missing", Negative, Serious, "少送"),
    ("发动机动力强劲，提速快", "vehicle.power", Positive, Serious, "发动机"),
    ("百公里油耗7个，很省油", "vehicle.fuel", Positive, Minor, "省油"),
    ("内饰塑料感太强", "vehicle.interior", Neutral, Minor, "内饰"),
    ("后排空间宽敞", "vehicle.space", Positive, Minor, "后排空间"),
    ("底盘扎实，转向精准，操控好", "vehicle.handling", Positive, Minor, "操控"),
    ("风噪胎噪明显，座椅不舒服", "vehicle.comfort", Negative, Minor, "风噪"),
    // Negation takes a keyword's vote and turns a tone around.
    ("用了半年，没有卡顿，也没有闪退，很流畅", "unclassified", Positive, Minor, ""),
    ("没有出现过闪退和崩溃", "unclassified", Positive, Minor, ""),
    ("这个软件一点都不好用", "experience", Negative, Minor, "不好用"),
    ("并不是很满意", "unclassified", Negative, Minor, ""),
    ("不是没有问题，只是我没说", "unclassified", Negative, Minor, ""),
    ("客服不但没有解决，而且态度差", "service.attitude", Negative, Serious, "态度差"),
    ("没想到味道这么好", "catering.taste", Positive, Minor, "味道"),
    ("没有优惠，但是质量很好", "quality", Positive, Serious, "质量"),
    // Traditional Chinese, as written in Taiwan and Hong Kong.
    ("這個軟體一開啟就閃退，真的很糟糕", "function.crash", Negative, Serious, "闪退"),
    ("無法登入帳號，驗證碼也收不到", "function.login", Negative, Serious, "無法登入"),
    ("電腦又當機了", "function.crash", Neutral, Serious, "当机"),
    ("包裹破損，店家還不願意退款", "logistics.damage", Negative, Serious, "包裹破损"),
    ("重複扣款，請盡快處理", "payment.deduction", Neutral, Serious, "重复扣款"),
    ("客服態度惡劣，非常失望", "service.attitude", Negative, Serious, "态度恶劣"),
    ("外送太慢，等了很久", "catering.delay", Negative, Serious, "外送太慢"),
    ("行駛中煞車失靈，非常危險", "safety.vehicle", Neutral, Fatal, "煞車失靈"),
    ("建議新增深色模式", "suggestion.feature", Neutral, Minor, "建议新增"),
    ("這家餐廳的湯不好喝，但是服務很好", "catering.taste", Negative, Minor, "汤"),
    // English.
    ("The app crashes every time I open it", "function.crash", Negative, Serious, "crashes"),
    ("I cannot log in, the verification code never comes", "function.login", Negative, Serious, "cannot log in"),
    ("Export is not working since the update", "function.defect", Negative, Serious, "not working"),
    ("Way too slow, it lags all the time", "performance.lag", Negative, Serious, "lags"),
    ("My parcel never arrived and nobody answers", "logistics.lost", Neutral, Serious, "never arrived"),
    ("I was charged twice for one order", "payment.deduction", Neutral, Serious, "charged twice"),
    ("The agent was rude and unhelpful", "service.attitude", Negative, Serious, "rude"),
    ("Please add a dark mode, it would be nice", "suggestion.feature", Positive, Minor, "please add"),
    ("How do I change my address?", "consultation", Neutral, Minor, "how do i"),
    ("The charger caught fire, somebody could have been injured", "safety.fire", Neutral, Fatal, "caught fire"),
    ("Not bad at all, I love it", "praise", Positive, Minor, "love it"),
    ("It has never crashed, very reliable", "unclassified", Positive, Minor, ""),
    ("This is not a good product", "unclassified", Negative, Minor, ""),
    ("The food was cold and absolutely disgusting", "catering.taste", Negative, Minor, "food was cold"),
    // Mixed, full-width, odd spacing and case.
    ("ＡＰＰ　ＣＲＡＳＨＥＳ！！！打不开", "function.crash", Negative, Serious, "crashes"),
    ("iOS更新后app一直Crash，请fix", "function.crash", Negative, Serious, "crash"),
    ("这个APP的UI很confusing", "experience.complexity", Negative, Minor, "confusing"),
    ("refund还没到，等了两周", "payment.refund", Negative, Serious, "refund"),
    ("classic crashpad", "unclassified", Neutral, Minor, ""),
    ("今天星期三", "unclassified", Neutral, Minor, ""),
];

#[test]
fn every_sentence_is_understood() {
    let lexicon = Lexicon::new(0, &Builtin::load().unwrap().content).unwrap();
    let mut wrong = Vec::new();
    for (text, category, sentiment, impact, term) in SENTENCES {
        let verdict = read(&lexicon, Statement { text, tier: Tier::Existing, impact: None, urgency: 0, emotion_level: 0 });
        let (found, tone) = (verdict.category.as_str(), verdict.sentiment_score);
        if (found, verdict.sentiment, verdict.impact) != (*category, *sentiment, *impact) {
            wrong.push(format!("{text}: {found} {:?} ({tone}) {:?}, not {category} {sentiment:?} {impact:?}", verdict.sentiment, verdict.impact));
        }
        let speaks = |spoken: &Spoken| matches!(spoken, Spoken::Category { category: of, .. } if of == category);
        if !term.is_empty() && !verdict.spans.iter().any(|span| span.term == *term && !span.negated && speaks(&span.spoken)) {
            wrong.push(format!("{text}: no span {term}"));
        }
        // Every span's own text is its term, whatever its spelling.
        for span in &verdict.spans {
            let piece: String = text.chars().skip(span.start as usize).take((span.end - span.start) as usize).collect();
            assert_eq!(fold::fold_term(&piece), fold::fold_term(&span.term), "{text}");
        }
    }
    assert!(SENTENCES.len() >= 60);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), SENTENCES.len(), wrong.join("\n"));
}

/// Words of degree strengthen and weaken; a negation turns around and weakens.
#[test]
fn degree_and_negation_order_tones() {
    let lexicon = Lexicon::new(0, &Builtin::load().unwrap().content).unwrap();
    let score = |text| read(&lexicon, Statement { text, tier: Tier::New, impact: None, urgency: 0, emotion_level: 0 }).sentiment_score;
    for rising in [
        ["极其失望", "非常失望", "失望", "有点失望", "不失望"],
        ["非常不满意", "不满意", "有点不满意", "满意", "非常满意"],
        ["extremely slow", "slow", "a bit slow", "not slow", "not slow, very good"],
    ] {
        let scores: Vec<f64> = rising.iter().map(|text| score(text)).collect();
        assert!(scores.is_sorted_by(|one, other| one < other), "{rising:?} {scores:?}");
    }
}
