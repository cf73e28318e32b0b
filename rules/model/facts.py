"""What an enterprise may file: the catalogue of facts and record lists, and the profile they form.

Money is in yuan, ratios are plain numbers (0.10 is 10%), dates are ISO texts. ``origin`` says who
states a fact: the enterprise files it (填报), or a reviewer finds it (认定). Names are the terms of the
application form of 工信部企业〔2022〕63号, and of 工信部企业〔2026〕2号 for what that text added.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Final, Literal, TypeAlias

from rules.errors import FactsError

Kind: TypeAlias = Literal["number", "flag", "code", "date", "text"]
Origin: TypeAlias = Literal["填报", "认定"]
Scalar: TypeAlias = str | bool

#: Units of countable things, whose numbers are whole.
COUNTED: Final = ("人", "项", "级", "名", "件", "家", "次")


@dataclass(frozen=True)
class Fact:
    """Something that can be filed or found.

    ``unit`` is the unit in forms (values are kept in the unit's base). ``yearly`` facts are kept
    per fiscal year. A ``rating`` is kept per calendar year, because it is known before that year's
    accounts are. ``minimum`` and ``maximum`` bound the possible values, in base units. A yearly
    figure below its minimum is kept as filed, but nothing can be computed with it. ``part_of`` is
    the id of the fact that bounds it from above, in the same year if both are yearly. ``evidence``
    and ``note`` are for people: what proves a value, and how to fill it in. An enterprise cannot
    change a ``fixed`` fact, such as the day of its registration.
    """

    id: str
    name: str
    kind: Kind
    unit: str = ""
    yearly: bool = False
    origin: Origin = "填报"
    minimum: Fraction | None = None
    maximum: Fraction | None = None
    codes: tuple[str, ...] = ()
    note: str = ""
    rating: bool = False
    part_of: str = ""
    evidence: str = ""
    fixed: bool = False

    def __hash__(self) -> int:
        """Hashes only the id: a fact is looked up for every value that is checked."""
        return hash(self.id)

    def obvious(self, value: Scalar) -> bool:
        """Whether a value is clearly valid, in the form that evaluators read; most are."""
        if self.kind == "flag":
            return value is True or value is False
        if not isinstance(value, str):
            return False
        match self.kind:
            case "number":
                return self._form is not None and self._form.fullmatch(value) is not None
            case "date":
                return _is_day(value)
            case "code":
                return value in self.codes
        return True

    @property
    def signed(self) -> bool:
        """Whether accounts may show a figure below its minimum, such as negative revenue.

        Such a figure is kept.
        """
        return self.yearly and not self.rating and self.minimum is not None

    def unusable(self, value: Scalar) -> bool:
        """Whether a value is kept as filed although nothing can be computed with it.

        >>> fact("营业收入总额").unusable("-5"), fact("净利润总额").unusable("-5")
        (True, False)
        """
        text = str(value)  # most figures have no sign and need no parsing
        return text[:1] == "-" and self.signed and exact(text) < (self.minimum or 0)

    @cached_property
    def _form(self) -> re.Pattern[str] | None:
        """The pattern of clearly valid numbers; None if each value must be checked."""
        digits = "[0-9]{1,18}"
        decimals = "" if self.unit in COUNTED else rf"(\.{digits})?"
        forms: dict[object, str] = {(None, None): f"-?{digits}", (0, None): digits, (0, 1): "0"}
        form = forms.get((self.minimum, self.maximum))
        return re.compile(form + decimals) if form else None


@dataclass(frozen=True)
class RecordKind:
    """A list of records that an enterprise files, such as its intellectual property."""

    id: str
    name: str
    fields: tuple[Fact, ...]

    def field(self, name: str) -> Fact | None:
        """The field with that id or Chinese name."""
        return self._fields.get(name)

    @cached_property
    def _fields(self) -> Mapping[str, Fact]:
        return {name: f for f in reversed(self.fields) for name in (f.id, f.name)}


def _number(id: str, name: str, unit: str, **more: object) -> Fact:
    more.setdefault("minimum", Fraction(0))
    return Fact(id, name, "number", unit, **more)  # type: ignore[arg-type]


def _flag(id: str, name: str, **more: object) -> Fact:
    return Fact(id, name, "flag", **more)  # type: ignore[arg-type]


def _yearly(id: str, name: str, unit: str, **more: object) -> Fact:
    return _number(id, name, unit, yearly=True, **more)


SECTORS: Final = (
    "农、林、牧、渔业", "工业", "建筑业", "批发业", "零售业", "交通运输业", "仓储业", "邮政业",
    "住宿业", "餐饮业", "信息传输业", "软件和信息技术服务业", "房地产开发经营", "物业管理",
    "租赁和商务服务业", "其他未列明行业",
)  # fmt: skip

#: The titles of the three tiers, lowest first. A title that only opens the way to a tier (科技型) is
#: not a 梯度称号 but a separate fact: title lists marked 已报全 before it counted do not cover it.
TITLES: Final = ("创新型中小企业", "专精特新中小企业", "专精特新“小巨人”企业")

FACTS: Final[tuple[Fact, ...]] = (
    # yearly figures, closing figures of the audit report (annex 4)
    _yearly("staff", "从业人员", "人"),
    _yearly("rd_staff", "研发人员", "人", part_of="staff"),
    _yearly("revenue", "营业收入总额", "万元"),
    _yearly("main_revenue", "主营业务收入总额", "万元", part_of="revenue"),
    _yearly("net_profit", "净利润总额", "万元", minimum=None),
    _yearly("rd_expense", "研发费用总额", "万元"),
    _yearly("total_assets", "资产总额", "万元"),
    _yearly("total_liabilities", "负债总额", "万元"),
    _yearly("development_score", "专精特新发展评价得分", "分", rating=True,
            note="国家平台按工信厅企业〔2024〕75号计算；填得分所属的年度，可以是填报当年"),
    # identity and compliance (article 8)
    _flag("registered_in_prc", "境内工商注册登记"),
    _flag("independent_legal_person", "独立法人"),
    Fact("industry_code", "行业代码", "text", note="GB/T 4754-2017，门类字母加四位小类代码"),
    Fact("sector", "申报划型行业", "code", codes=SECTORS, note="没有填行业代码时使用"),
    Fact("sector_found", "认定划型行业", "code", codes=SECTORS, origin="认定",
         note="行业代码没有填或无法对应划型行业时由审核人认定"),
    _flag("abnormal_list", "列入经营异常名录"),
    _flag("dishonesty_list", "列入严重失信主体名单"),
    _flag("restricted_product", "产品和服务属禁止限制淘汰类"),
    _flag("major_accident", "近三年重大安全质量环境污染事故", note="含网络安全、数据安全"),
    _flag("tax_violation", "近三年偷漏税等违法违规"),
    # compliance (2026, article 11)
    _flag("law_abiding", "遵守法律法规和行业规范", note="企业声明，由审核部门核实；有偷漏税等违法的填否"),
    _flag("safety_accident", "近三年较大以上生产安全事故", note="含较大、重大和特别重大事故"),
    _flag("data_incident", "近三年重大网络安全数据安全事件"),
    _flag("environment_offence", "近三年重大环境违法行为"),
    _flag("quality_problem", "近三年严重质量问题"),
    _flag("industry_breach", "近三年严重违反行业规范"),
    # the title that opens the way to 专精特新, like 创新型 (2026, annex 1)
    _flag("tech_title", "持有科技型中小企业称号", note="填报时持有；没有的填否"),
    Fact("tech_title_until", "科技型中小企业称号有效期至", "date"),
    # leading product and segment
    Fact("segment_entry", "进入细分市场日期", "date"),
    _flag("field_strategic", "主导产品属战略性新兴产业"),
    _flag("field_key_link", "主导产品补短板锻长板填空白"),
    _flag("field_six_bases", "主导产品属工业六基"),
    _flag("field_old_brand", "主导产品属中华老字号"),
    _flag("field_serves_leader", "主导产品服务重点产业链龙头企业"),
    _flag("field_ten_sectors", "主导产品属十大重点产业领域"),
    _flag("field_network_power", "主导产品属网络强国建设领域"),
    _flag("field_reviewed", "主导产品领域符合原则要求", origin="认定"),
    _number("market_share", "全国细分市场占有率", "%", maximum=Fraction(1)),
    _number("international_share", "国际细分市场占有率", "%", maximum=Fraction(1),
            note="企业自行说明，不需要第三方证明"),
    _number("domestic_rank", "国内细分市场排名", "名", minimum=Fraction(1),
            note="主导产品的名次；企业自行说明，不需要第三方证明"),
    _flag("leading_position", "主导产品排名靠前并有知名度", origin="认定",
          note="国内或国际细分市场排名较为靠前，有一定知名度"),
    _flag("well_known", "知名度和影响力", origin="认定"),
    _flag("key_chain_link", "位于产业链关键环节", origin="认定"),
    _flag("industry_direction", "主导产品推动产业升级和培育", origin="认定",
          note="提升传统产业、壮大新兴产业或布局未来产业"),
    # quality, brand, information systems
    _number("digital_level", "数字化水平等级", "级", maximum=Fraction(4)),
    _flag("quality_award", "省级以上质量奖"),
    _flag("management_certificate", "管理体系认证", note="ISO9001 等质量及相关管理体系认证"),
    _flag("own_brand", "自主品牌"),
    _flag("standards", "参与制修订标准"),
    _flag("it_system", "核心业务信息系统支撑"),
    _flag("developed_certificate", "发达国家和地区产品认证", note="含国际标准协会认证"),
    _number("local_points", "地方特色指标得分", "分", maximum=Fraction(15)),
    # for the provinces' own indicators (2022, annex 2 item 9)
    _flag("plan_field", "主导产品属省级规划重点领域"),
    _flag("leading_chain", "主导产品属省级链主企业产业链"),
    _flag("strategy_field", "主导产品属其他省级战略领域"),
    _flag("city_field", "主导产品属市级重点领域"),
    _flag("county_field", "主导产品属县级重点领域"),
    _flag("first_product", "近三年省级以上首台套等创新产品", note="首台（套）、首批次、首版次或新技术新产品"),
    _flag("contest_prize", "省级创新大赛获奖", note="例如山东的“省长杯”、“创客中国”山东赛优秀以上"),
    _flag("core_process", "自有核心技术工艺配方", note="有证明材料"),
    _flag("new_forms", "属新技术新产业新业态新模式"),
    _flag("overseas_research", "境外并购或设立境外研发机构"),
    _flag("lean_production", "推行精益生产"),
    _number("provincial_rank", "省内细分市场排名", "名", minimum=Fraction(1), note="主导产品的名次"),
    _flag("listed", "上市或新三板挂牌"),
    _flag("pre_listed", "区域性股权市场挂牌或上市备案"),
    _number("pre_listed_points", "上市培育得分", "分", maximum=Fraction(3), origin="认定",
            note="只对区域性股权市场挂牌或上市备案的企业认定"),
    _flag("heritage", "拥有非物质文化遗产"),
    _flag("geographical_mark", "拥有地理标志商标"),
    _flag("regional_unique", "主导产品具有区域独特性", origin="认定"),
    # for the notices of a round
    _flag("single_champion", "单项冠军企业", note="持有制造业单项冠军称号"),
    _number("giant_holding", "与已认定小巨人之间最高持股比例", "%", maximum=Fraction(1),
            note="本企业持有对方或对方持有本企业的比例，取最高的一个；没有的填0"),
    _flag("group_similar", "与同集团小巨人主导产品相近", origin="认定"),
    # filed totals, used if no itemised records are filed
    _number("ip_high_value", "Ⅰ类高价值知识产权总数", "项", part_of="ip_class_one"),
    _number("ip_self_developed", "自主研发Ⅰ类知识产权总数", "项", part_of="ip_class_one"),
    _number("ip_class_one", "Ⅰ类知识产权总数", "项"),
    _number("ip_class_two", "Ⅱ类知识产权总数", "项"),
    _number("ip_class_one_earning", "已应用并产生效益的Ⅰ类知识产权总数", "项", part_of="ip_class_one"),
    _number("ip_own_earning", "已应用并产生效益的自主申请Ⅰ类知识产权总数", "项",
            part_of="ip_class_one_earning",
            note="只计自主申请、列前三位权利人的；受让、许可取得的不计"),
    _number("financing_three_years", "近三年新增股权融资总额", "万元"),
    _number("financing_two_years", "近两年新增股权融资总额", "万元", part_of="financing_three_years"),
)  # fmt: skip

RECORDS: Final[tuple[RecordKind, ...]] = (
    RecordKind("ip", "知识产权", (
        Fact("kind", "类别", "code", codes=(
            "发明专利", "国防专利", "植物新品种", "国家级农作物品种", "国家新药", "国家一级中药保护品种",
            "集成电路布图设计专有权", "软件著作权", "实用新型专利", "外观设计专利", "商标")),
        Fact("number", "编号", "text"),
        _flag("in_force", "有效"),
        _flag("related", "与主导产品相关"),
        Fact("acquisition", "取得方式", "code", codes=("原始取得", "受让取得", "许可取得")),
        Fact("grant_date", "授权日期", "date"),
        Fact("transfer_date", "受让日期", "date"),
        _number("holder_rank", "权利人排名", "名", minimum=Fraction(1), note="企业在权利人中列第几位"),
        _flag("earning", "已应用并产生效益"),
        _flag("foreign_family", "境外同族授权",
              note="经实质审查在G20成员、新加坡或欧洲专利局获得授权"),
        _flag("foreign_income", "取得境外收入"),
        _flag("pledged", "已质押融资"),
        _flag("pledge", "较高质押融资", origin="认定", note="仅对已质押融资的权利认定"),
        _flag("national_award", "获国家科学技术奖或中国专利奖"),
    )),
    RecordKind("financing", "股权融资", (
        Fact("date", "实缴日期", "date"),
        _number("amount", "实缴金额", "万元"),
        Fact("investor", "投资机构", "text"),
        _flag("qualified", "合格机构投资者"),
        _flag("new_shareholder", "引入新股东"),
        _number("share_given", "出让股份比例", "%", maximum=Fraction(1)),
    )),
    RecordKind("awards", "科技奖励", (
        Fact("level", "奖励级别", "code", codes=("国家级", "省级", "其他"),
             note="国家级：国家自然科学奖、技术发明奖、科技进步奖、国防科技奖；省级：省级科技奖励一、二、三等奖"),
        _number("rank", "获奖单位排名", "名", minimum=Fraction(1)),
        Fact("date", "发证日期", "date"),
        Fact("name", "奖励名称", "text"),
    )),
    RecordKind("honours", "荣誉称号", (
        Fact("kind", "荣誉类别", "code", codes=(
            "高新技术企业", "国家级技术创新示范企业", "知识产权优势企业", "知识产权示范企业", "其他")),
        Fact("valid_until", "荣誉有效期至", "date"),
        _flag("accepted", "审核认可", origin="认定"),
    )),
    RecordKind("institutions", "研发机构", (
        Fact("level", "机构级别", "code", codes=("国家级", "省级", "市级", "市级以下")),
        Fact("name", "机构名称", "text"),
    )),
    RecordKind("competitions", "创客中国", (
        _number("rank", "全国名次", "名", minimum=Fraction(1)),
        Fact("date", "名单公布日期", "date"),
        Fact("group", "组别", "code", codes=("企业组", "创客组")),
    )),
    RecordKind("brands", "品牌", (
        Fact("name", "品牌名称", "text"),
        _flag("has_ip", "拥有自主知识产权"),
        _flag("registered", "品牌已注册"),
        _flag("earning", "品牌已产生收入"),
    )),
    RecordKind("titles", "梯度称号", (
        Fact("kind", "称号类别", "code", codes=TITLES),
        Fact("valid_from", "称号有效期始", "date"),
        Fact("valid_until", "称号有效期至", "date"),
        _flag("held", "填报时持有", note="填报表列出的在有效期内或曾经持有的称号"),
    )),
)  # fmt: skip

#: How feature files name the year of a yearly fact: prefix -> years after T, where T is the last
#: complete fiscal year before the filing date (annex 4). Only a rating has a 本年度, the filing's year.
PERIODS: Final[dict[str, int]] = {"本年度": 1, "上年度": 0, "上上年度": -1, "再上年度": -2}

#: The years of a filed date; anniversaries of a later one could not be computed.
YEARS: Final = range(1900, 2200)
#: The one form in which evaluators read numbers and dates.
#: Amounts have up to fifteen digits; Python reads more, such as 1e9999999999, useless for computing.
LONGEST_NUMBER: Final = 80
_SHIFTED: Final = re.compile(r"[eE][+-]?[0-9_]{3}")
_FORMS: Final = {
    "number": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}

#: What is known of the enterprise itself: not filed as facts, but criteria may ask for it.
IDENTITY: Final = (
    Fact("province", "省份", "text"),
    Fact("city", "城市", "text"),
    Fact("county", "区县", "text"),
    Fact("registered_on", "注册时间", "date", fixed=True),
)

_FACTS_BY_ID: Final = {f.id: f for f in (*FACTS, *IDENTITY)}
_FACTS_BY_NAME: Final = {f.name: f for f in (*FACTS, *IDENTITY)}
_RECORDS: Final = {k: r for r in RECORDS for k in (r.id, r.name)}


def fact(name: str) -> Fact:
    """The fact with that id or Chinese name; ``FactsError`` if there is none.

    >>> fact("营业收入总额").id
    'revenue'
    """
    found = _FACTS_BY_ID.get(name) or _FACTS_BY_NAME.get(name)
    if found is None:
        raise FactsError(
            "unknown-fact", "没有名为「{value}」的填报项：请查对填报模板中的名称", value=name
        )
    return found


def wholes(id: str) -> tuple[str, ...]:
    """The facts of which a fact is a part, nearest first.

    >>> wholes("ip_own_earning")
    ('ip_class_one_earning', 'ip_class_one')
    """
    whole = fact(id).part_of
    return (whole, *wholes(whole)) if whole else ()


def record_kind(name: str) -> RecordKind:
    """The record list with that id or Chinese name; ``FactsError`` if there is none."""
    if name not in _RECORDS:
        raise FactsError(
            "unknown-record-list",
            "没有名为「{value}」的清单：可用的有{expected}",
            value=name,
            expected="、".join(r.name for r in RECORDS),
        )
    return _RECORDS[name]


def period_fact(name: str) -> tuple[Fact, int] | None:
    """Split 「上年度研发费用总额」 into its yearly fact and the offset from T, if it is one."""
    for prefix, offset in PERIODS.items():
        found = _FACTS_BY_NAME.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if found is not None and found.yearly and (offset <= 0 or found.rating):
            return found, offset
    return None


def period_name(fact: Fact, offset: int) -> str:
    """The inverse of ``period_fact``: the name in feature files.

    >>> period_fact("上上年度营业收入总额")[1], period_name(fact("revenue"), -1)
    (-1, '上上年度营业收入总额')
    """
    return next(p for p, o in PERIODS.items() if o == offset) + fact.name


@dataclass(frozen=True)
class RecordList:
    """The records of one kind; ``complete`` says whether the list is 已报全 (None: not stated)."""

    items: tuple[Mapping[str, Scalar], ...] = ()
    complete: bool | None = None


@dataclass(frozen=True)
class Profile:
    """The facts of one filing as of one day: everything that a decision may read.

    ``values`` is keyed by fact id, yearly facts by ``id@year`` (``rd_expense@2022``). Numbers are
    exact decimal texts in base units, flags are bools, dates ISO texts. An absent key is unknown.
    ``sources`` says where a value was filed, under the same key, or ``ip#0`` for a record.
    """

    as_of: date
    values: Mapping[str, Scalar] = field(default_factory=dict)
    records: Mapping[str, RecordList] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def fiscal_year(self) -> int:
        """T, the last complete fiscal year before ``as_of``."""
        return self.as_of.year - 1

    def to_json(self) -> dict[str, object]:
        """The profile as plain JSON values, in the form that decisions store."""
        return {
            "as_of": self.as_of.isoformat(),
            "values": dict(sorted(self.values.items())),
            "records": {
                name: {"complete": r.complete, "items": [dict(sorted(i.items())) for i in r.items]}
                for name, r in sorted(self.records.items())
            },
            "sources": dict(sorted(self.sources.items())),
        }


@lru_cache(maxsize=1 << 10)  # returns the same text each time, with its hash computed
def yearly_key(fact_id: str, year: int) -> str:
    """The key of a yearly fact in ``Profile.values``."""
    return f"{fact_id}@{year}"


def check_value(fact: Fact, value: Scalar) -> str | None:
    """Why ``value`` cannot be a value of ``fact`` (one Chinese phrase), or None if it can."""
    if fact.obvious(value):
        return None
    if fact.kind == "flag":
        return "应为 是 或 否"
    if not isinstance(value, str):
        return "应为文字"
    if fact.kind == "code":
        return f"应为{'、'.join(fact.codes)}之一"
    return check_day(value) if fact.kind == "date" else _check_number(fact, value)


@lru_cache(maxsize=1 << 12)
def _check_number(fact: Fact, value: str) -> str | None:
    try:
        number = exact(value)
    except ValueError:
        return "应为数字"
    if fact.unit in COUNTED and number.denominator != 1:
        return "应为整数"
    if fact.minimum is not None and number < fact.minimum and not fact.signed:
        return f"不应小于{fact.minimum}"
    if fact.maximum is not None and number > fact.maximum:
        return "不应超过100%" if fact.unit == "%" else f"不应大于{fact.maximum}"
    return None


def exact(text: str, longest: int = LONGEST_NUMBER) -> Fraction:
    """The number that a text states; ``ValueError`` for one that could exhaust memory.

    >>> exact("2.50")
    Fraction(5, 2)
    """
    if len(text) > longest or _SHIFTED.search(text):
        raise ValueError("a number beyond all bounds")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError(f"{text} is no number") from None


def check_day(value: str) -> str | None:
    """Why a profile cannot state ``value`` as a day (one Chinese phrase), or None if it can."""
    try:
        year = date.fromisoformat(value).year
    except ValueError:
        return "应为日期"
    return None if year in YEARS else f"年份应在{YEARS.start}至{YEARS.stop - 1}之间"


@lru_cache(maxsize=1 << 14)
def _is_day(value: str) -> bool:
    return _FORMS["date"].fullmatch(value) is not None and check_day(value) is None


def validate(profile: Profile) -> None:
    """Raise ``FactsError`` for the first value that the catalogue does not allow."""
    check_profile(profile, fact, _field, lambda records: record_kind(records).name)


def _field(records: str, id: str) -> Fact:
    kind = record_kind(records)
    found = kind.field(id)
    if found is None:
        raise FactsError(
            "no-such-field", "清单“{where}”没有字段「{value}」", where=kind.name, value=id
        )
    return found


def check_profile(
    profile: Profile,
    fact_of: Callable[[str], Fact | None],
    field_of: Callable[[str, str], Fact | None],
    list_name: Callable[[str], str],
) -> None:
    """Raise ``FactsError`` for the first value that is none of its fact's; facts of None pass."""
    for key, value in profile.values.items():
        found = fact_of(key.partition("@")[0])
        if found is not None and not found.obvious(value):
            _refuse(found, key, value)
    for records, filed in profile.records.items():
        for number, item in enumerate(filed.items, 1):
            for id, value in item.items():
                found = field_of(records, id)
                if found is not None and not found.obvious(value):
                    _refuse(found, f"{list_name(records)}第{number}条", value)


def _refuse(fact: Fact, where: str, value: Scalar) -> None:
    form = _FORMS.get(fact.kind)
    wrong = check_value(fact, value)
    if not wrong and form and not form.fullmatch(str(value)):
        wrong = "写法不规范：数字应为十进制，日期应为 2023-06-30 的形式"
    if wrong:
        raise FactsError(
            "unfit-value",
            "{where}：{name}「{value}」{wrong}",
            where=where,
            name=fact.name,
            value=value,
            wrong=wrong,
        )
