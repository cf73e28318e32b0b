"""A place as it is filed means the region that an officer would take it for, or is told."""

import pytest

from registry.kit.regions import LEVELS, Place, full_name, place_of, regions
from rules.language.provinces import CITIES, PROVINCES, acting


def code(*filed: str) -> str:
    """The lowest code of a place that leaves nothing open."""
    place = place_of(*filed)
    assert not place.doubt
    return place.county or place.city or place.province


def test_every_region_is_found_by_its_full_name() -> None:
    assert [c for c in regions() if code(full_name(c)) != c] == []


def test_what_is_above_a_region_is_there_and_higher() -> None:
    for region in regions().values():
        for other in filter(None, (region.parent, region.around)):
            above = regions()[other]
            assert LEVELS.index(above.level) < LEVELS.index(region.level) or region.name.endswith("兵团")  # fmt: skip
        assert (not region.parent) == (LEVELS.index(region.level) < 2)
        assert not set(region.former) & {region.name}


def test_what_acts_as_a_province_is_below_the_state_alone() -> None:
    top = {r.name: r for r in regions().values() if not r.parent}
    assert set(top) == set(PROVINCES)
    for city, province in CITIES.items():
        assert regions()[top[city].around].name == province == full_name(top[city].around)
        assert acting(province, city) == full_name(top[city].code)


@pytest.mark.parametrize(
    ("filed", "expected"),
    [
        (("广东省深圳市", "", "南山区"), "440305"),
        (("深圳", "深圳市", "南山"), "440305"),
        (("广东", "深圳", ""), "440300"),
        (("中国广东省广州市", "", ""), "440100"),
        (("北京市", "北京市", "朝阳区"), "110105"),
        (("北京市", "市辖区", "朝阳区"), "110105"),
        (("重庆市", "重庆市", "綦江县"), "500110"),
        (("重庆市县城口县", "", ""), "500229"),
        (("辽宁", "朝阳", ""), "211300"),
        (("辽宁", "朝阳市", "朝阳县"), "211321"),
        (("吉林", "", ""), "220000"),
        (("吉林市", "", ""), "220200"),
        (("海南", "", ""), "460000"),
        (("湖北省", "襄樊市", "襄阳县"), "420607"),
        (("湖北", "", "仙桃"), "429004"),
        (("河南省", "济源市", ""), "419001"),
        (("河北省", "", "辛集市"), "130181"),
        (("河北", "石家庄", "井陉县"), "130121"),
        (("新疆维吾尔自治区", "石河子市", ""), "659001"),
        (("新疆生产建设兵团", "", "石河子市"), "659001"),
        (("兵团", "", ""), "660000"),
        (("湖北", "恩施州", "来凤"), "422827"),
        (("广东", "东莞", "长安镇"), "441900"),
        (("上海市浦东新区张江镇", "", ""), "310115"),
        (("福建", "三明", "沙县"), "350405"),
        (("", "杭州市", "下城区"), "330105"),
        (("江苏", " 南　京 ", "鼓楼"), "320106"),
        (("示范省示范市示范县", "", ""), "990101"),
        (("", "", ""), ""),
    ],
)
def test_a_place_is_found_as_it_is_written(filed: tuple[str, str, str], expected: str) -> None:
    assert code(*filed) == expected


@pytest.mark.parametrize(
    ("filed", "found", "said"),
    [
        (("", "", "朝阳区"), Place(), "同名的有2处（北京市朝阳区、吉林省长春市朝阳区）"),
        (("江苏", "", "鼓楼区"), Place(province="320000"), "江苏省南京市鼓楼区、江苏省徐州市鼓楼区"),
        (("江苏省", "虚构3市", ""), Place(province="320000"), "「江苏省」中没有「虚构3市」"),
        (("山西", "大同", "城区"), Place(province="140000", city="140200"), "「山西省大同市」中没有「城区」"),
        (("甲", "乙", ""), Place(), "「甲乙」不在行政区划中"),
        (("", "", "城关镇"), Place(), "「城关镇」不在行政区划中"),
        (("省", "市", "区"), Place(), "不在行政区划中"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_told(filed: tuple[str, str, str], found: Place, said: str) -> None:
    place = place_of(*filed)
    assert said in place.doubt
    assert (place.province, place.city, place.county) == (found.province, found.city, found.county)
