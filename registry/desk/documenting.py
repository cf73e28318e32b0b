"""Living documentation: the criteria as pages in a folder, which opens without a server."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from registry.desk.drafting import features_root
from registry.desk.rulebooks import rulebook
from registry.errors import RegistryError
from registry.kit import resources
from registry.kit.files import content, folder_written_whole, refuse_link
from registry.kit.progress import Watch, unwatched
from registry.reports import site
from registry.reports.site import Site
from rules.drafting.documentation.documenter import document, excerpt, folder_of
from rules.drafting.documentation.documenter import since as changes_since
from rules.drafting.documentation.values import Documentation
from rules.language.rulebook import Rulebook
from rules.language.source import feature_files

if TYPE_CHECKING:
    from registry.desk.place import Desk
    from registry.record.publication import Published

#: The list of a site's files with their digests; a folder that holds just these may be replaced.
SUMS: Final = "SHA256SUMS"


@dataclass(frozen=True)
class Documented:
    """Criteria as pages: what they say, what the site says of itself, and what it is made from."""

    pages: Documentation
    site: Site
    rulebook: Rulebook
    draft: bool


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


@cache
def in_force() -> Documented:
    """The criteria at hand, made once for many readers; mutants are not run."""
    return documented(with_mutants=False)


def write(made: Documented, folder: Path) -> WrittenSite:
    """Write a site into a new folder, or over an earlier site; never over anything else.

    Raises ``RegistryError`` if the folder holds other things.
    """
    refuse_others(folder)
    sums, size = [], 0
    with folder_written_whole(folder, replaced=True) as fresh:
        for name, data in site.static(made.pages, made.site):
            (fresh / name).write_bytes(data)
            sums.append(f"{sha256(data).hexdigest()}  {name}\n")
            size += len(data)
        (fresh / SUMS).write_text("".join(sums), encoding="ascii")
    return WrittenSite(
        files=len(sums),
        size=size,
        rules=made.pages.coverage.rules,
        examples=made.pages.coverage.examples,
        failed=len(made.pages.failures),
    )


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
    title = pages.edition(text).title if text else "优质中小企业梯度培育的标准"
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
