"""Pages for what did not succeed: each says in one sentence what happened, and what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from registry.desk.auditing import UNREADABLE, first_amiss
from registry.errors import RegistryError, StorageError, fault
from registry.web.forms import LARGEST, UnsignedError
from registry.web.office import Office
from registry.web.remedies import advice
from registry.web.rendering import page
from rules.errors import DisagreementError, EngineFaultError, RulesError
from rules.portable.errors import DescribedError

#: The seconds after which a busy registry is worth another try.
_AGAIN: Final = "5"
#: The slugs of errors that mean that there is no such page.
_ABSENT: Final = frozenset(
    {
        "enterprise-not-filed",
        "no-decisions-in-range",
        "unknown-enterprise",
        "no-such-checkpoint",
        "no-such-entry",
        "no-such-round",
        "no-such-import",
        "no-such-job",
        "no-such-rule",
        "evidence-elsewhere",
        "not-a-publication",
        "no-such-waiting-file",
        "not-on-record",
    }
)


def install(app: FastAPI) -> None:
    """Have an application answer its errors with pages."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UnsignedError, _unsigned)
    app.add_exception_handler(RegistryError, _described)
    app.add_exception_handler(RulesError, _described)
    app.add_exception_handler(Exception, _unforeseen)


def refused(request: Request, error: DescribedError) -> HTMLResponse:
    """The page for what data or the registry refuse."""
    template, status, headers = "refused.html", HTTPStatus.UNPROCESSABLE_ENTITY, {}
    match error:
        case DisagreementError() | EngineFaultError():
            template, status = "disagreement.html", HTTPStatus.INTERNAL_SERVER_ERROR
        case StorageError(slug="database-busy"):
            template, status = "busy.html", HTTPStatus.SERVICE_UNAVAILABLE
            headers = {"Retry-After": _AGAIN}
        case StorageError():
            status = HTTPStatus.SERVICE_UNAVAILABLE
        case _ if error.slug in _ABSENT:
            status = HTTPStatus.NOT_FOUND
    said = {"said": str(error), "details": error.details, "advice": advice(error.remedy)}
    answer = page(request, template, status=status, **said)
    answer.headers.update(headers)
    return answer


def _http(request: Request, error: Exception) -> HTMLResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return page(request, "absent.html", status=error.status_code)
    said = _SAID.get(error.status_code, str(error.detail))
    answer = page(
        request, "refused.html", status=error.status_code, said=said, details=(), advice=None
    )
    answer.headers.update(error.headers or {})
    return answer


#: What the statuses of the framework mean.
_SAID: Final[Mapping[int, str]] = {
    HTTPStatus.METHOD_NOT_ALLOWED: "本页不收表单：请从工作台打开要办的事",
    HTTPStatus.BAD_REQUEST: "表单没有完整送到，没有登记：请重新打开本页再办",
    HTTPStatus.LENGTH_REQUIRED: "表单没有写明长短，没有登记：请换用常用的浏览器",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"所附的文件合计超过{LARGEST >> 20}MB，没有登记：请分几次办，或改用命令行",
}


def _invalid(request: Request, error: Exception) -> HTMLResponse:
    assert isinstance(error, RequestValidationError)
    details = tuple(_said(one) for one in error.errors())
    return page(
        request,
        "refused.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        said="地址中的条件看不懂" if len(details) > 1 else details[0],
        details=details if len(details) > 1 else (),
        advice=None,
    )


def _said(problem: Mapping[str, object]) -> str:
    """What is wrong with one part of an address; our own sentences come as ``ValueError``."""
    context = problem.get("ctx")
    if isinstance(context, Mapping) and isinstance(error := context.get("error"), ValueError):
        return str(error)
    return f"地址中的「{problem.get('input')}」看不懂：请从页面上的链接打开"


def _described(request: Request, error: Exception) -> HTMLResponse:
    assert isinstance(error, DescribedError)
    return refused(request, error)


def _unsigned(request: Request, error: Exception) -> HTMLResponse:
    status = HTTPStatus.OK if request.method == "GET" else HTTPStatus.FORBIDDEN
    return page(request, "unsigned.html", status=status)


def _unforeseen(request: Request, error: Exception) -> HTMLResponse:
    office: Office = request.app.state.office
    if isinstance(error, UNREADABLE) and (found := first_amiss(office.desk)):
        said = f"登记库的内容已被改动（{found}），不能显示：请审计人查明"
    else:
        said = fault(error)
    return page(request, "fault.html", status=HTTPStatus.INTERNAL_SERVER_ERROR, said=said)
