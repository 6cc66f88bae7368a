"""Classifies the provider's error texts, which are undocumented.

Each meaning has consequences, so a text must state it clearly. A text that merely mentions the account, a code or some
other limit is unclear.
"""

from __future__ import annotations

import re
from enum import Enum, auto


class Meaning(Enum):
    """Meaning of an error text."""

    TOO_MANY_REQUESTS = auto()
    TEMPORARY = auto()
    WRONG_CODE = auto()
    UNCLEAR = auto()


_MAX_TEXT_CHARACTERS = 1000
_HTTP_TOO_MANY_REQUESTS = 429
_HTTP_SERVER_ERRORS = range(500, 600)

_DATABASE = re.compile(r"database|(?<![a-z])(?:my)?sql|deadlock|too many connections|max_user|数据库", re.IGNORECASE)
"""Errors of the provider's own database. Checked first, because some match other patterns as well, for example
"SQLSTATE[28000] Access denied" and "too many connections"."""

_THROTTLING = re.compile(
    r"too (?:many|frequent|often|fast|quick)|throttl|slow ?down|frequen(?:cy|tly)|(?<![a-z])quota"
    r"|(?<![a-z])rate[ _-]?(?:limit|exceeded)|limit(?:ed)? (?:has been |was |is )?(?:reached|exceeded|hit)"
    r"|(?:api|calls?|requests?|rate|usage|access|query|daily|hourly|second|minute)[ _-](?:\w+[ _-])?limit"
    r"|(?:exceed(?:s|ed|ing)?|reached|over|beyond) (?:\w+ ){0,4}(?:limit|rate|quota|threshold)"
    r"|频繁|频率|频次|限流|限速|过快|太快|太多|过多|超限|上限"
    r"|(?:超过|超出|达到|受到?)[^。,\uff0c]{0,8}限制|(?:访问|请求|调用)受限|(?:请求|调用|访问|接口|操作)[^。,\uff0c]{0,4}次数",
    re.IGNORECASE,
)
_OUTAGE = re.compile(
    r"later|temporar|maintenance|busy|timed? ?out|overload|unavailable"
    r"|connection|internal|server error|exception|fatal|out of memory"
    r"|稍后|稍候|繁忙|维护|超时|服务器|系统错误|系统异常|网络",
    re.IGNORECASE,
)
_CREDENTIAL = (
    r"(?<![a-z])(?:(?<!error )(?<!error-)(?<!error_)(?<!status )(?<!status_)code|passcode|authcode|(?:\w+_)?token"
    r"|(?:api|app|access|account)?[ _-]?(?:key|secret)|password|credentials?|sign(?:ature)?|verification_code"
    r"|auth(?:ori[sz]ation|entication)?|account|licen[sc]e|subscription)(?![a-z'\u2019])"
)
_WRONG = (
    r"(?<![a-z])(?:wrong|invalid|incorrect|expired?|denied|missing|unknown|illegal|bad|mismatch(?:ed)?|fail(?:ed|ure|s)?"
    r"|required|empty|disabled|suspended|revoked|blocked|locked|closed|rejected|refused|forbidden|unrecogni[sz]ed"
    r"|(?:not|n't) (?:been )?(?:found|valid|exist|match|correct|allowed|accepted|recogni[sz]ed|authori[sz]ed|right)"
    r")(?![a-z])"
)
_BETWEEN = (
    r"[\s:,;'\"=_!-]*(?:(?:is|was|are|were|has|have|had|been|be|does|did|do|no|longer|already|you|your|the|this|an?|of|or|and"
    r"|provided|sent|given|supplied|entered|used|verification|for)[\s:,;'\"=_-]+){0,6}"
)
_CREDENTIAL_REFUSED = re.compile(
    rf"{_CREDENTIAL}{_BETWEEN}(?:{_WRONG}|error(?![a-z]))"
    rf"|{_WRONG}[\s:'\"_-]+(?:(?:the|your|this|an?|parameter) )?{_CREDENTIAL}"
    r"|un(?:authori[sz]ed|authenticated)|not (?:authori[sz]ed|authenticated|logged in)"
    r"|(?:permission|access|authori[sz]ation) (?:is |was )?(?:denied|required)|no permission|(?<![a-z])forbidden"
    r"|(?:code|key|token|验证码|授权码?|密钥|令牌|签名|账号|帐号|账户|帐户|权限)[^。,\uff0ca-z]{0,4}"
    r"(?:错误|有误|无效|失效|不存在|不正确|不匹配|不对|过期|到期|为空|缺失|不足|失败|禁用|停用|冻结|拒绝)"
    r"|(?:无效|错误|非法|缺少|没有|未|无)的?(?:验证码|授权|密钥|令牌|签名|账号|帐号|账户|帐户|权限)",
    re.IGNORECASE,
)


def meaning_of(text: str, stated_code: int | None = None) -> Meaning:
    """Return the meaning of an error object with ``text`` and the error number ``stated_code``."""
    text = text[:_MAX_TEXT_CHARACTERS]
    if _DATABASE.search(text):
        return Meaning.TEMPORARY
    if _THROTTLING.search(text) or stated_code == _HTTP_TOO_MANY_REQUESTS:
        return Meaning.TOO_MANY_REQUESTS
    if _OUTAGE.search(text) or stated_code in _HTTP_SERVER_ERRORS:
        return Meaning.TEMPORARY
    return Meaning.WRONG_CODE if _CREDENTIAL_REFUSED.search(text) else Meaning.UNCLEAR
