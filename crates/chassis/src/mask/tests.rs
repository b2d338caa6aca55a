//! What is masked, what is not, and that no text takes long.

use huiyin_testkit::grows_no_faster;
use proptest::prelude::*;

use super::{mask, names_nobody, searched};

#[test]
fn numbers_that_name_a_person_are_masked() {
    assert_eq!(mask("我的电话是13800138000，请回电"), "我的电话是[手机号]，请回电");
    assert_eq!(mask("call +86 138-0013-8000 now"), "call [手机号] now");
    assert_eq!(mask("身份证11010519491231002X谢谢"), "身份证[身份证号]谢谢");
    assert_eq!(mask("邮箱li.wei@example.com。"), "邮箱[邮箱]。");
    assert_eq!(mask("卡号 4111 1111 1111 1111"), "卡号 [银行卡号]");
}

#[test]
fn a_number_is_found_among_other_digits() {
    assert_eq!(mask("2026-03-02 13800138000来电"), "2026-03-02 [手机号]来电");
    assert_eq!(mask("13800138000 13900139000"), "[手机号] [手机号]");
    assert_eq!(mask("3 次打 138 0013 8000 2 次无人接"), "3 次打 [手机号] 2 次无人接");
    assert_eq!(mask("2026-03-02 4111 1111 1111 1111"), "2026-03-02 [银行卡号]");
}

#[test]
fn digits_of_double_width_are_digits() {
    assert_eq!(mask("电话１３８００１３８０００。"), "电话[手机号]。");
    assert_eq!(mask("１３８－００１３－８０００"), "[手机号]");
    assert_eq!(mask("１１０１０５１９４９１２３１００２Ｘ"), "[身份证号]");
    assert_eq!(mask("护照号：E１２３４５６７８"), "护照号：[证件号]");
}

/// 001-81: as people write them.
#[test]
fn numbers_are_found_in_the_forms_that_people_give_them() {
    for (text, masked) in [
        ("13800138000x801", "[手机号]x801"),
        ("打13800138000X2转分机", "打[手机号]X2转分机"),
        ("138\u{a0}0013\u{a0}8000", "[手机号]"),
        ("138  0013  8000", "[手机号]"),
        ("138.0013.8000", "[手机号]"),
        ("+86 138.0013.8000", "[手机号]"),
        ("013800138000", "[手机号]"),
        ("call +1 (650) 253-0000", "call [电话]"),
        ("call +1 650-253-0000, 3 times", "call [电话], 3 times"),
        ("+442070313000", "[电话]"),
        ("13800138000+442070313000", "[手机号][电话]"),
        ("電話 +886 2 2345 6789", "電話 [电话]"),
        ("+852 2345 6789", "[电话]"),
        ("手機0912-345-678", "手機[手机号]"),
        ("手機：0912345678", "手機：[手机号]"),
        ("身份证号：110105194912310021", "身份证号：[身份证号]"),
        ("身分證 A123456789", "身分證 [身份证号]"),
        ("卡号是4111 1111 1111 1112", "卡号是[银行卡号]"),
        ("卡號：621700123456789", "卡號：[银行卡号]"),
        ("我的账号 88123456 登录不上", "我的账号 [账号] 登录不上"),
    ] {
        assert_eq!(mask(text), masked, "{text}");
        assert_eq!(mask(&mask(text)), masked, "{text}");
    }
}

/// 001-81: an ID card of the first generation has a date and a province, and no checksum.
#[test]
fn an_old_id_card_is_masked() {
    assert_eq!(mask("身份证110105491231003"), "身份证[身份证号]");
    assert_eq!(mask("990105491231003"), "990105491231003", "no province");
    assert_eq!(mask("110105491331003"), "110105491331003", "no month");
}

#[test]
fn landlines_are_masked() {
    for (text, masked) in [
        ("座机010-88886666", "座机[电话]"),
        ("打0755-2345678无人接", "打[电话]无人接"),
        ("(021) 6888 6666", "([电话]"),
        ("+86 10 88886666", "[电话]"),
        ("传真：0571-88886666-801", "传真：[电话]"),
        ("固话 88886666", "固话 [电话]"),
        ("电话：01088886666。", "电话：[电话]。"),
        ("客服电话 400-820-8820", "客服电话 400-820-8820"),
    ] {
        assert_eq!(mask(text), masked);
    }
}

#[test]
fn what_a_word_gives_away_is_masked() {
    for (text, masked) in [
        ("护照号码E12345678", "护照号码[证件号]"),
        ("passport no. G87654321", "passport no. [证件号]"),
        ("加我微信 li_wei88", "加我微信 [账号]"),
        ("微信号：wxid_7abc9", "微信号：[账号]"),
        ("QQ：12345678", "QQ：[账号]"),
        ("我的vx是abc12345谢谢", "我的vx是[账号]谢谢"),
        ("台胞证 12345678", "台胞证 [证件号]"),
    ] {
        assert_eq!(mask(text), masked);
    }
}

#[test]
fn addresses_that_lead_to_a_door_are_masked() {
    for (text, masked) in [
        (
            "我住在广东省深圳市南山区科技路5号3栋501室，请上门",
            "我住在[地址]，请上门",
        ),
        ("送到人民路12号", "送到[地址]"),
        ("地址：浙江省杭州市西湖区文三路138号东方公寓2单元301", "地址：[地址]"),
        ("寄到上海市浦东新区张杨路1234弄5号602室", "寄到[地址]"),
        ("臺北市信義區松高路12號", "[地址]"),
        ("幸福小区3号楼电梯", "[地址]电梯"),
        ("中关村大街２７号", "[地址]"),
    ] {
        assert_eq!(mask(text), masked);
    }
}

#[test]
fn plates_are_masked() {
    assert_eq!(mask("车牌粤B12345在车库"), "车牌[车牌号]在车库");
    assert_eq!(mask("京A·D12345"), "[车牌号]");
    assert_eq!(mask("沪AD12345新能源"), "[车牌号]新能源");
}

#[test]
fn other_numbers_and_words_stay() {
    for text in [
        "订单号 2026112100012345 未到",
        "订单2026112100012343",
        "型号 12345678901",
        "版本 10.2.3",
        "110105194912310021",
        "条码 6901234567892",
        "序列号 SN20261121000123",
        "快递单号 SF1234567890123",
        "运单 75123456789012",
        "批次 20260302-0071",
        "2026-11-21 09:30:15",
        "价格 12,345.67 元",
        "微信8.0.50版本闪退",
        "微信支付失败",
        "QQ音乐没有声音",
        "TVX12345 屏幕",
        "地铁3号线",
        "我知道5号会到货",
        "我们小区5号停水",
        "走路5号出口",
        "线路3号故障",
        "在万达广场3楼专柜买的",
        "11月21号下单，25号才到",
        "一共去了3次门店",
        "京东618买的",
        "新A1手机",
        "0755",
        "电话打了20261121次",
        "服务器 192.168.13.138",
        "版本 138.13.8.1000",
        "+100 分",
        "+20261121000123456",
        "账号登录不上",
        "卡号无效",
        "手机 20261121 买的",
        "0912 批次",
    ] {
        assert_eq!(mask(text), text);
    }
}

/// One order number in many is taken for a card by chance: it must stay rare. Dates with a running number, as shops make them.
#[test]
fn order_numbers_are_hardly_ever_taken_for_something_else() {
    let mut masked = 0;
    let mut all = 0;
    for day in 1..=28 {
        for sequence in 0..200_u64 {
            for order in [
                format!("202611{day:02}{sequence:08}"),
                format!("TM{sequence:05}202611{day:02}{:06}", sequence * 7919 % 1_000_000),
                format!("1{day:02}{:010}", sequence * 104_729),
            ] {
                all += 1;
                masked += usize::from(mask(&order) != order);
            }
        }
    }
    assert!(masked * 1000 < all, "{masked} of {all}");
}

/// Hostile text goes through in a time that grows with its length alone: ten times the text may take no more than forty times as
/// long, where a quadratic rule would take a hundred times.
#[test]
fn no_text_takes_more_than_linear_time() {
    let hostile: &[&str] = &[
        "1",
        "1 ",
        "1-",
        "0",
        "010-",
        "a@",
        "a.",
        "@",
        "微信",
        "微信a",
        "路",
        "路1",
        "路1号楼",
        "省市区路",
        "中市",
        "号",
        "1号",
        "一1 ",
        "粤B",
        "粤B1",
        "护照",
        "护照 1",
        "电话2",
        "１",
        "+",
        "[",
        "a",
        "4111 ",
        "中",
    ];
    for part in hostile {
        grows_no_faster(part, 100_000, |characters| {
            let text = part.repeat(characters / part.chars().count());
            assert!(mask(&text).len() <= text.len() * 12 + 64);
        });
    }
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(text in "[0-9０-９Xx@. \\-+手a]{0,120}") {
        let once = mask(&text);
        prop_assert_eq!(mask(&once), once);
    }

    /// Where a look at the characters is enough, searching finds nothing.
    #[test]
    fn what_is_passed_over_names_nobody(text in "([0-9０-９Xx.+ \\-a一]|QQ|vx|tel|phone|passport|line id|微信|护照|电话|省|市|路|粤B|卡号|手机){0,12}") {
        if names_nobody(&text) {
            prop_assert_eq!(searched(&text), text);
        }
    }

    /// Nothing panics, whatever comes; with the alphabet of every rule.
    #[test]
    fn any_text_is_masked(text in "[0-9０-９Xx@. \\-+微信护照电话省市区路号弄楼粤B中\\PC]{0,200}") {
        // At most a label for each character that it takes the place of.
        prop_assert!(mask(&text).len() <= text.len() * 12 + 64);
    }

    /// A mobile number is found in whatever Chinese words stand around it.
    #[test]
    fn a_mobile_number_is_found_in_any_sentence(before in "[的是我中，。：请，a-z ]{0,20}[我，。：]", after in "[的是我中，。：请]{0,20}", rest in 0..100_000_000_u32) {
        let number = format!("139{rest:08}");
        let masked = mask(&format!("{before}{number}{after}"));
        prop_assert!(!masked.contains(&number), "{}", masked);
    }
}

/// Ten million characters, drawn from what the rules look for ("Must be shown" 6).
#[test]
fn ten_million_hostile_characters_are_masked() {
    let alphabet: Vec<char> = "0123456789１３８Xx@.-+ 微信QQ护照电话省市区路号弄楼室粤B京A中文a_[]"
        .chars()
        .collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        alphabet[usize::try_from(state % alphabet.len() as u64).unwrap()]
    };
    for _ in 0..10 {
        let text: String = (0..1_000_000).map(|_| draw()).collect();
        assert!(mask(&text).len() > 1_000_000);
    }
}
