//! Vague wording (000-15): whether a description says no more than that something is bad, and what it lacks then. A pure
//! function of the words and of what stands beside them.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use crate::screening::domain::{
    Aspect,
    phrases::{Found, Phrases, without},
    text::{fold, weight},
};

/// What a vague description says beside its complaint weighs at most so much ([`weight`]).
const SAYS_LITTLE: usize = 4;
/// Whoever writes more is not vague, whatever the words.
const LONGEST: usize = 400;

/// What is said, and what stands beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'t> {
    pub(crate) title: &'t str,
    pub(crate) description: &'t str,
    /// The model or device stands in a field of its own.
    pub(crate) has_model: bool,
    /// So does the version.
    pub(crate) has_version: bool,
    /// So does what the customer would like.
    pub(crate) has_expectation: bool,
}

/// What is made of a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vagueness {
    /// It says no more than that something is bad.
    pub(crate) is_vague: bool,
    /// What it says, in its words or beside them.
    pub(crate) said: BTreeSet<u8>,
}

impl Vagueness {
    /// True where the aspect is there.
    pub(crate) fn says(&self, aspect: Aspect) -> bool {
        self.said.contains(&(aspect as u8))
    }

    /// What is lacking of what is wanted; nothing where the description is not vague. Of a vague one at least the symptom is.
    pub(crate) fn missing(&self, wanted: &[Aspect]) -> Vec<Aspect> {
        if !self.is_vague {
            return Vec::new();
        }
        let missing: Vec<Aspect> = Aspect::ALL
            .into_iter()
            .filter(|aspect| wanted.contains(aspect) && !self.says(*aspect))
            .collect();
        if missing.is_empty() {
            vec![Aspect::Symptom]
        } else {
            missing
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Says that it is bad, and nothing more.
    Complaint,
    /// What happens, in so many words.
    Symptom,
    /// What was being done.
    Step,
    /// What somebody would like.
    Wish,
    /// Says nothing by itself.
    Filler,
    /// Turns what follows around.
    Not,
}

static PHRASES: LazyLock<Phrases<Kind>> = LazyLock::new(|| {
    Phrases::new(&[
        (
            Kind::Complaint,
            "不好用 不怎么好用 不太好用 不是很好用 不好使 难用 不易用 用不了 用不成 没法用 不能用 无法使用 不能使用 没法使用 不可用 有问题 出问题 出了问题 出现问题 \
             问题很多 问题多 问题太多 很多问题 一堆问题 各种问题 问题很大 不行 不太行 不咋地 不咋样 不怎么样 太差 很差 真差 差劲 太差劲 差评 差 差得很 很不好 \
             垃圾 烂 太烂 很烂 烂透了 破玩意 坏 坏了 坏掉了 出故障 故障 有故障 异常 出异常 出错 出错了 有毛病 出毛病 毛病 有障碍 不舒服 不爽 \
             不满意 不是很满意 不太满意 不满 失望 很失望 太失望 让人失望 令人失望 不推荐 不好 不太好 不怎么好 不理想 受不了 无语 一言难尽 怎么回事 什么情况 什么鬼 \
             什么破玩意 什么东西 求解决 求修复 怎么办 跟宣传的不一样 和宣传的不一样 与宣传不符 货不对板 有bug 有_bug bug太多 bug_太多 bug bugs 投诉 后悔 坑 太坑 坑人 \
             bad badly terrible horrible awful poor worst worse suck sucks rubbish garbage trash crap useless broken faulty problem problems issue issues \
             doesn't_work does_not_work doesnt_work don't_work not_working isn't_working not_work stopped_working won't_work no_good not_good \
             not_very_good not_satisfied unsatisfied dissatisfied disappointed disappointing disappointment unusable not_usable wrong something_is_wrong \
             not_happy unhappy hate annoying error errors fail fails failure bad_experience bad_quality poor_quality fix_it please_fix help",
        ),
        (
            Kind::Symptom,
            "闪退 崩溃 卡死 死机 黑屏 白屏 花屏 蓝屏 闪屏 绿线 亮线 卡顿 转圈 一直转 没反应 没有反应 无反应 不响应 无响应 打不开 进不去 登不上 登录不上 登不了 连不上 连接不上 \
             断开 断连 掉线 断网 收不到 没收到 没有收到 充不进 充不上电 不充电 发烫 发热 过热 烧焦 冒烟 漏水 漏电 漏油 漏液 异响 噪音 杂音 电流声 抖动 震动 裂 裂纹 碎了 划痕 破损 \
             掉色 掉漆 脱胶 起球 变形 生锈 异味 臭味 失灵 不准 乱码 丢失 丢了 消失 报错 报错误 错误码 提示 显示 找不到 加载不出 加载失败 识别不了 扫不出 拍不清 模糊 没声音 没有声音 无声 \
             不制冷 不制热 不加热 不出水 不启动 无法启动 启动不了 自动重启 自动关机 关不掉 关不上 关不严 打不出 卡纸 夹生 少发 漏发 错发 发错 没到 未到 没到账 未到账 扣了两次 \
             多扣 重复扣 乱扣 没退 没发货 不发货 迟到 不理 没人回 没人联系 没人接 不回复 不接电话 洒了 松了 断了 掉了 尺码 偏小 偏大 缩水 过敏 拉肚子 收了 慢 很慢 太慢 超时 \
             crash crashes crashed freeze freezes frozen hang hangs black_screen white_screen blank no_sound no_response unresponsive overheat overheats \
             hot leak leaks leaking noise noisy crack cracked flicker flickers disconnect disconnects drains drain missing lost timeout times_out stuck slow \
             loading spinning error_code can't_open cannot_open can't_log can't_login won't_turn won't_charge pairing_fails pairing broke soaked",
        ),
        (
            Kind::Step,
            "点击 点了 点开 点 按下 按了 长按 双击 滑动 打开 关闭 登录 注册 支付 付款 下单 下载 上传 安装 升级 更新 升级后 更新后 更新之后 升级之后 重启 重启后 充电 拍照 扫码 导出 导入 \
             保存 提交 搜索 播放 通话 连接 配对 设置 切换 输入 使用时 时候 之后 以后 时 每次 当 \
             click clicking tap tapping press pressing open opening login log_in logging sign_in pay paying checkout upload download install update upgrade \
             after when while during restart reboot connect export import save submit",
        ),
        (
            Kind::Wish,
            "希望 建议 要求 想要 请退 退款 退货 换货 换一个 换新 维修 赔偿 补发 能不能 能否 可否 期望 改进 \
             refund replace replacement exchange repair compensation would_like please_add suggest wish should",
        ),
        (
            Kind::Filler,
            "这个 那个 这 那 这些 你们 你们家 你 您 他们 的 了 啊 呢 吧 吗 呀 嘛 哦 哈 唉 哎 呵呵 哈哈 真 真的 真心 真是 很 太 好 超 超级 非常 特别 十分 极其 相当 有点 有些 一点 一点都 一点也 \
             有点儿 都 也 就 就是 还 还是 还有 又 再 是 在 我 我的 我们 我觉得 觉得 感觉 感到 认为 反正 总之 实在 实在是 简直 完全 根本 总是 老是 老 一直 经常 最近 现在 今天 已经 什么 怎么 \
             为什么 请 麻烦 谢谢 尽快 赶紧 赶快 马上 处理 解决 一下 看看 看 自己看 自己 到底 行 行不行 买 用 用着 用起来 起来 使用 让 让人 令 人 要 想 我要 跟 和 与 被 把 个 家 种 样 这么 那么 这样 受 烦 烦死了 \
             东西 产品 商品 货 软件 程序 应用 系统 手机 电脑 设备 机器 功能 页面 界面 网站 网页 平台 服务 公司 质量 品质 体验 用户体验 效果 性能 问题 方面 情况 玩意 东东 app apk 各种 懒得说 懒得 说 多 大 \
             死了 死 极了 透了 多了 得 地 着 过 会 能 可 可以 有 到 们 出 从 对 给 \
             the a an this that these those it its it's is are was were be been am i i'm we you your my our they app apps application product products \
             software system service thing things phone device machine quality experience feature function website site page with for of to in on at and or but so \
             very really too quite just always still again totally completely such much more all at_all please pls thanks thank hey hi has have had having do does did \
             me there here some any lot lots of_a something anything everything company team guys fix solve resolve asap now today",
        ),
        (
            Kind::Not,
            "不 没有 没什么 没有什么 没 没有任何 没任何 并没有 不是 并不是 不算 不会 未 无 毫无 从不 从没 别的 除了 no not never without isn't wasn't hasn't haven't nothing zero",
        ),
    ])
});

#[expect(clippy::expect_used, reason = "a fixed pattern, compiled by every test")]
static MODEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:iphone|ipad|galaxy|mate|redmi|小米|红米|华为|荣耀|三星|oppo|vivo|型号)\s*[a-z0-9]+|(?-u:\b)[a-z]{1,6}-?[0-9]{1,4}[a-z]{0,4}(?-u:\b)")
        .expect("a model has a pattern")
});
#[expect(clippy::expect_used, reason = "a fixed pattern, compiled by every test")]
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u:\b)v?[0-9]{1,3}\.[0-9]{1,4}(?:\.[0-9]{1,6})*|(?:ios|android|安卓|鸿蒙|harmonyos|windows|win|macos|版本|version)\s*号?\s*[0-9]+")
        .expect("a version has a pattern")
});

/// What is made of it.
pub(crate) fn read(told: Told<'_>) -> Vagueness {
    let text = fold(&format!("{}\n{}", told.title, told.description));
    let mut said = BTreeSet::new();
    let mut says = |aspect: Aspect| {
        said.insert(aspect as u8);
    };
    let found = PHRASES.find(&text);
    let mut complains = false;
    let mut has_symptom = false;
    for (index, piece) in found.iter().enumerate() {
        match piece.kind {
            Kind::Complaint => complains |= !is_negated(&text, &found, index),
            Kind::Symptom if !is_negated(&text, &found, index) => {
                has_symptom = true;
                says(Aspect::Symptom);
            }
            Kind::Step => says(Aspect::Step),
            Kind::Wish => says(Aspect::Expectation),
            _ => {}
        }
    }
    if told.has_model || MODEL.is_match(&text) {
        says(Aspect::Model);
    }
    if told.has_version || VERSION.is_match(&text) {
        says(Aspect::Version);
    }
    if told.has_expectation {
        says(Aspect::Expectation);
    }
    let empty: Vec<Found<Kind>> = found
        .into_iter()
        .filter(|piece| !matches!(piece.kind, Kind::Step | Kind::Symptom))
        .collect();
    let is_short = text.chars().count() <= LONGEST;
    // A model or a version says what is meant, and not what is wrong with it.
    let rest = without(&text, &empty);
    let rest = MODEL.replace_all(&rest, " ");
    let rest = VERSION.replace_all(&rest, " ");
    let is_vague = complains && !has_symptom && is_short && weight(&rest) <= SAYS_LITTLE;
    Vagueness { is_vague, said }
}

/// Words that turn a piece around stand directly before it.
fn is_negated(text: &str, found: &[Found<Kind>], index: usize) -> bool {
    let piece = found[index];
    let mut at = piece.start;
    for before in found[..index].iter().rev() {
        let between = &text[before.end..at];
        if between.chars().any(|c| !c.is_whitespace()) {
            return false;
        }
        match before.kind {
            Kind::Not => return true,
            // "not a very big problem", "没有什么大问题"
            Kind::Filler => at = before.start,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests;
