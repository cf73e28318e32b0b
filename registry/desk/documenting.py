"""Living documentation: the criteria as pages in a folder, which opens without a server."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from registry.desk.drafting import features_root
from registry.desk.rulebooks import in_force, rulebook, write_texts, written
from registry.errors import RecordError, RegistryError
from registry.kit import resources
from registry.kit.files import content, folder_written_whole, refuse_link, working_folder
from registry.kit.progress import Watch, unwatched
from registry.portable.clock import china_text
from registry.reports import site
from registry.reports.site import Site
from rules.drafting.documentation.documenter import document, excerpt, folder_of
from rules.drafting.documentation.documenter import since as changes_since
from rules.drafting.documentation.values import Documentation
from rules.language.rulebook import Rulebook
from rules.language.source import feature_files
from rules.portable.errors import Remedy

if TYPE_CHECKING:
    from registry.desk.place import Desk
    from registry.judging.published import Published

#: The list of a site's files with their digests; a folder that holds just these may be replaced.
SUMS: Final = "SHA256SUMS"
#: The folder in an archive of a site.
ARCHIVED: Final = "标准"
_UNIX: Final = 3
_PLAIN_FILE: Final = 0o100644 << 16
_TITLE: Final = "优质中小企业梯度培育的标准"
#: Pages are made by one thread at a time, so that whoever asks next finds them made.
_MAKING: Final = Lock()
#: The pages of the publications that were made last, by the digests of their entries.
_MADE: Final[dict[str, "Documented"]] = {}
_KEPT: Final = 4


@dataclass(frozen=True)
class Documented:
    """Criteria as pages: what they say, what the site says of itself, and what it is made from.

    ``publication`` is the number of the entry that published them; 0 if they are not read from one.
    """

    pages: Documentation
    site: Site
    rulebook: Rulebook
    draft: bool
    publication: int = 0


@dataclass(frozen=True, kw_only=True)
class WrittenSite:
    """A site on disk: its files and their bytes, its rules, its examples and those that fail."""

    files: int
    size: int
    rules: int
    examples: int
    failed: int


def documented(
    text: str = "", *, with_mutants: bool = True, watch: Watch = unwatched
) -> Documented:
    """The criteria at hand (packaged, with a bureau's own), a draft's folder, or one text.

    ``text`` is empty, a folder of feature files, or the folder of a source text within the criteria
    such as ``miit-2022-63``; the latter brings the rules of others on which it rests. Raises
    ``SourceError`` if the criteria do not compile, ``RegistryError`` if there is no such text.
    """
    path = Path(text)
    if not text or text in _folders(rulebook()) or not path.is_dir():
        return _documented(None, text, with_mutants, watch)
    target = path.resolve()
    root = features_root(target)
    if not feature_files(root):
        raise RegistryError(
            "no-feature-files-there", "{where} 不含标准文件：请给出标准目录", where=path
        )
    within = "" if target == root else target.relative_to(root).as_posix()
    return _documented(root, within, with_mutants, watch)


def since(desk: "Desk", made: Documented) -> Documented:
    """The same, with what changed since the last publication; decisions are taken by that.

    Where there is no registry, a draft is compared with the packaged criteria.
    """
    published = _published(desk)
    if published is not None:
        digests, earlier = published.digests, published.ruleset
    elif made.draft:
        packaged = rulebook()
        roots = (row.ruleset for row in packaged.applicability if row.encoded)
        digests = {id: packaged.ruleset(id).digest for id in dict.fromkeys(roots)}
        earlier = packaged.ruleset
    else:
        return made
    name = "随附的标准" if published is None else "登记库已发布的标准"
    return replace(
        made,
        pages=changes_since(made.pages, made.rulebook, digests, earlier),
        site=replace(made.site, earlier=name, published=published is not None),
    )


def _published(desk: "Desk") -> "Published | None":
    if not desk.is_there:
        return None
    from registry.record import publication  # the pages themselves need no registry

    with desk.reading() as session:
        return publication.current(session)


def at_hand() -> Documented:
    """The criteria at hand, made once for many readers; mutants are not run."""
    with _MAKING:
        return _at_hand()


@cache
def _at_hand() -> Documented:
    return documented(with_mutants=False)


def on_record(desk: "Desk", *, until: int | None = None) -> Documented:
    """The criteria in force, with what changed since the publication before; made as ``at_hand``.

    ``until`` asks for those in force after that many entries of the journal. They are the criteria
    at hand where nothing was published. Raises ``RegistryError`` if this program can no longer
    compile them.
    """
    number, digest = _latest(desk, until)
    if not number:
        return at_hand()
    with _MAKING:
        if digest not in _MADE:
            while len(_MADE) >= _KEPT:
                _MADE.pop(next(iter(_MADE)))
            _MADE[digest] = _published_pages(desk, number)
        return _MADE[digest]


def known_at(desk: "Desk", moment: datetime | None) -> Documented:
    """The criteria that were in force at a moment, or those in force now, as ``on_record``."""
    if moment is None or not desk.is_there:
        return on_record(desk)
    from registry.record import journal

    with desk.reading() as session:
        return on_record(desk, until=journal.until(session, moment))


def at(desk: "Desk", publication: int) -> Documented:
    """The criteria of an entry of the journal that published them, as ``on_record``.

    Raises ``RecordError`` if there is no such entry, or it is not a publication.
    """
    if _latest(desk, publication)[0] != publication:
        raise RecordError(
            "not-a-publication",
            "第{value}号记录不是发布",
            value=publication,
            remedy=Remedy("list-entries"),
        )
    return on_record(desk, until=publication)


def in_force_at(desk: "Desk", entries: int | None = None) -> int:
    """The number of the publication in force now, or after that many entries; 0 if there was none."""
    return _latest(desk, entries)[0]


def at_hand_differs(desk: "Desk") -> bool:
    """Whether the criteria in force are not those at hand; also if they can no longer be compiled."""
    return in_force(desk) is not rulebook()


def _latest(desk: "Desk", until: int | None) -> tuple[int, str]:
    """The number and the digest of the entry of the last publication; 0 without any."""
    if not desk.is_there:
        return 0, ""
    from registry.record import publication  # the pages themselves need no registry

    with desk.reading() as session:
        found = publication.latest(session, until=until)
    return (found.seq, found.digest) if found else (0, "")


def _published_pages(desk: "Desk", number: int) -> Documented:
    from registry.record import publication

    with desk.reading() as session:
        book = written(session, until=number)
        entry = publication.latest(session, until=number)
        texts = publication.sources(session, until=number)
        former = publication.latest(session, until=number - 1)
        before = publication.current(session, until=number - 1)
    assert entry is not None
    if book is rulebook():
        pages = _at_hand().pages
    else:
        with working_folder() as folder:
            write_texts(texts, folder)
            pages = document(book, [folder], with_mutants=False)
    day = china_text(entry.recorded_at, "minutes")
    origin = f"登记簿第{number}号，{day} 发布的标准"
    site = Site("梯度标准", _TITLE, origin, _program())
    if former and before:
        site = replace(site, earlier=f"登记簿第{former.seq}号发布的标准")
        pages = changes_since(pages, book, before.digests, before.ruleset)
    return Documented(pages, site, book, draft=False, publication=number)


def write(made: Documented, folder: Path) -> WrittenSite:
    """Write a site into a new folder, or over an earlier site; never over anything else.

    Raises ``RegistryError`` if the folder holds other things.
    """
    refuse_others(folder)
    files = size = 0
    with folder_written_whole(folder, replaced=True) as fresh:
        for name, data in _files(made):
            (fresh / name).write_bytes(data)
            files, size = files + 1, size + len(data)
    return WrittenSite(
        files=files,
        size=size,
        rules=made.pages.coverage.rules,
        examples=made.pages.coverage.examples,
        failed=len(made.pages.failures),
    )


def archive(made: Documented) -> bytes:
    """The same site as an archive with one folder; identical criteria give identical bytes."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as into:
        for name, data in _files(made):
            member = ZipInfo(f"{ARCHIVED}/{name}")  # of a fixed date
            member.create_system, member.external_attr = _UNIX, _PLAIN_FILE
            into.writestr(member, data, ZIP_DEFLATED)
    return packed.getvalue()


def _files(made: Documented) -> Iterator[tuple[str, bytes]]:
    """The files of a site, and the list of them."""
    sums = []
    for name, data in site.static(made.pages, made.site):
        yield name, data
        sums.append(f"{sha256(data).hexdigest()}  {name}\n")
    yield SUMS, "".join(sums).encode("ascii")


def refuse_others(folder: Path) -> None:
    """Raise ``RegistryError`` if a folder holds anything but an earlier site."""
    refuse_link(folder)
    if not folder.exists():
        return
    others = [folder] if not folder.is_dir() else sorted(_strangers(folder))
    if others:
        raise RegistryError(
            "not-a-site",
            "{where} 里有别的内容（{value}），不会覆盖：请换一个文件夹，或先移走它们",
            where=folder,
            value=others[0].name,
        )


def _strangers(folder: Path) -> Iterator[Path]:
    """What stands in a folder beside an earlier site."""
    sums, mark = folder / SUMS, folder / site.INDEX
    known: set[str] = set()
    if sums.is_file() and mark.is_file() and content(mark, 100).startswith(site.MARK.encode()):
        lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()
        known = {SUMS, *(line.partition("  ")[2] for line in lines)}
    for path in folder.iterdir():
        if path.name not in known or not path.is_file() or path.is_symlink():
            yield path


def _documented(root: Path | None, text: str, with_mutants: bool, watch: Watch) -> Documented:
    book = rulebook(root)
    if text and text not in _folders(book):
        raise RegistryError(
            "no-such-source",
            "没有名为「{value}」的文本：可用的有{expected}，或一个标准目录（例如 ./draft）",
            value=text,
            expected="、".join(_folders(book)),
        )
    base, own = resources.criteria(root)
    folders = [base] if own is None else [base, own]
    done = 0
    with watch("运行例子和变异" if with_mutants else "运行例子", None) as tell:

        def step() -> None:
            nonlocal done
            done += 1
            tell(done)

        pages = document(book, folders, with_mutants=with_mutants, progress=step)
    if text:
        pages = excerpt(pages, text)
    return Documented(pages, _site(root, own, text, pages), book, draft=root is not None)


def _site(root: Path | None, own: Path | None, text: str, pages: Documentation) -> Site:
    title = pages.edition(text).title if text else _TITLE
    if root is None:
        origin = "随附的标准" if own is None else f"随附的标准和 {own.resolve().name}"
        return Site("梯度标准", title, origin, _program())
    return Site("标准草案", title, f"草案 {root.name}，没有发布，不作决定的依据", _program())


def _program() -> str:
    return f"tidu {version('tidu')}"


def _folders(book: Rulebook) -> list[str]:
    """The folders of the source texts, provinces and rounds, but for the top one."""
    found = dict.fromkeys(folder_of(document.path) for document in book.documents)
    return [folder for folder in found if folder != "."]
