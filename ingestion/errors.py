"""The one table of error codes: what is wrong and what the sender has to do, in Chinese and English.

Codes are stable. Outside readers rely on the group (`E-VALUE-…`) only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingestion.masking import mask_in_text


@dataclass(frozen=True)
class ErrorCode:
    """One code with its two sentences."""

    code: str
    zh: str
    en: str


class FileRejected(Exception):
    """The whole file can't be taken. `detail` names the offending thing, without personal data."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(message(code, detail))


class PeriodRefused(Exception):
    """A month can't be closed, or a voucher not be reviewed. `detail` names what stands against it."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(message(code, detail))


class FindingRefused(Exception):
    """A finding can't be decided on in this way. `detail` names what stands against it."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(message(code, detail))


class FileChanged(RuntimeError):
    """The file was changed, replaced or taken away while it was read: it is still being written."""


class ReadingInterrupted(RuntimeError):
    """A file could not be read for reasons that are not its own; nothing is decided, and it is tried again."""

    def __init__(self, told: str) -> None:
        super().__init__(mask_in_text(told))


_TABLE = (
    # the whole file
    (
        "E-FILE-FOLDER",
        "文件须放在来源系统的文件夹内，请移入相应文件夹后重新上传",
        "put the file into the folder of its source system",
    ),
    (
        "E-FILE-NAME",
        "文件名不合约定，请按约定命名后重新上传；文件名中不得含有公民身份号码",
        "rename the file as agreed: <anything>.<family>.<anything>.csv, or a pattern of the source's profile; "
        "names hold no identity number",
    ),
    ("E-FILE-LINK", "不接受链接或非普通文件，请上传文件本身", "send the file itself, not a link or a special file"),
    (
        "E-FILE-UNREADABLE",
        "文件无法读取，请检查权限或存储后重新上传",
        "the file can't be read; check permissions and storage",
    ),
    ("E-FILE-EMPTY", "文件为空，请至少保留表头行", "the file is empty; send at least the header row"),
    (
        "E-FILE-ENCODING",
        "文件编码与约定不符，请按约定编码（规范文件为UTF-8）重新导出",
        "export the file in the agreed encoding (UTF-8 for canonical files)",
    ),
    (
        "E-FILE-GZIP",
        "压缩文件损坏或不完整，请重新压缩上传",
        "the gzip file is damaged or cut off; compress and send it again",
    ),
    (
        "E-FILE-XLSX",
        "不是Excel工作簿（.xlsx）或文件已损坏，请用Excel打开后另存为.xlsx重新上传",
        "not an Excel workbook (.xlsx), or a damaged one; open it in Excel, save it as .xlsx and send it again",
    ),
    (
        "E-FILE-XLS",
        "是旧版Excel格式（.xls），请另存为.xlsx后重新上传",
        "this is the old Excel format (.xls); save it as .xlsx and send it again",
    ),
    (
        "E-FILE-PASSWORD",
        "工作簿设有打开密码，请取消密码后重新上传",
        "the workbook is encrypted; remove its password and send it again",
    ),
    (
        "E-FILE-SHEET",
        "无法确定应读取的工作表，请只保留一张有内容的可见工作表，或在来源配置中写明表名",
        "which sheet to read is not clear; leave one visible sheet with content, or name it in the source's profile",
    ),
    (
        "E-FILE-TOTAL",
        "合计行缺失或与明细不符，请核对后重新上传",
        "the row of totals is absent or disagrees with the rows above it; check them",
    ),
    (
        "E-FILE-TOO-LARGE",
        "文件解压后过大，请拆分后重新上传",
        "the file unpacks to more than is accepted; split it",
    ),
    (
        "E-FILE-PARQUET",
        "不是Parquet文件或文件已损坏，请重新导出",
        "not a Parquet file, or a damaged one; export it again",
    ),
    (
        "E-FILE-TYPE",
        "存在无法准确读取的列（嵌套、二进制或单精度浮点类型），请改为文本、定点数、整数或日期",
        "columns are of nested, binary or single-precision types; export them as text, decimals, integers or dates",
    ),
    ("E-FILE-HEADER", "缺少必备列，请补齐表头", "required columns are absent; complete the header"),
    ("E-FILE-DUPLICATE-COLUMN", "表头有重复的列名，请保证列名唯一", "column names occur twice; make each name unique"),
    (
        "E-FILE-COLUMNS",
        "存在未约定的列，请删除，或在来源配置中映射或忽略",
        "columns are not known; remove them, or map or ignore them in the source's profile",
    ),
    (
        "E-FILE-MANIFEST",
        "清单与文件不一致，请核对行数、合计和摘要后重新上传",
        "the manifest disagrees with the file; check row count, control totals and sha256",
    ),
    (
        "E-FILE-MANIFEST-MISSING",
        "该来源要求附清单文件，请补传",
        "this source must send a manifest; add <file>.manifest.json",
    ),
    (
        "E-FILE-PROFILE",
        "来源配置有误，请管理员修正配置文件",
        "the source's profile is wrong; the administrator must correct it",
    ),
    # the form of a row
    (
        "E-SCHEMA-FIELDS",
        "字段个数与表头不符或引号未闭合，请检查分隔符和引号",
        "the number of fields differs from the header, or a quote is not closed; check delimiters and quotes",
    ),
    (
        "E-SCHEMA-JSON",
        "该行不是由简单字段组成的JSON对象，请每行写一个对象",
        "the line is not a JSON object of plain fields; write one object a line",
    ),
    (
        "E-SCHEMA-CELL-ERROR",
        "单元格是错误值（如#REF!、#N/A），请在Excel中更正",
        "a cell holds an error such as #REF! or #N/A; correct it in Excel",
    ),
    (
        "E-SCHEMA-CELL-FORMULA",
        "公式没有计算结果，请用Excel打开、重新计算并保存",
        "a formula has no stored result; open the workbook in Excel, recalculate and save it",
    ),
    (
        "E-SCHEMA-CELL-DIGITS",
        "长数字在Excel中已丢失数位（超过15位或写成3.2E+17），请将该列设为文本格式后重新填写",
        "a long number has lost digits in Excel (more than 15, or written as 3.2E+17); format the column as text and"
        " enter it again",
    ),
    (
        "E-SCHEMA-CELL-MERGED",
        "该行有单元格与其他单元格合并，其值只在合并区域的左上角，请取消合并并逐行填写",
        "cells are merged with others and hold no value of their own; unmerge them and fill in every row",
    ),
    ("E-SCHEMA-VERSION", "结构版本号未知，请使用已公布的版本", "the schema version is not known; use a published one"),
    (
        "E-SCHEMA-VERSION-COLUMN",
        "该结构版本没有此列，请留空，或改用含有此列的版本",
        "the row's schema version has no such column; leave it empty, or send the row in a version that has it",
    ),
    (
        "E-SCHEMA-EVENT-TYPE",
        "事件类型未知或不属于该文件的类别，请更正事件类型或文件类别",
        "the event type is unknown or belongs to another family; correct the type or send it in a file of its family",
    ),
    ("E-SCHEMA-REQUIRED", "缺少必填项，请补填", "required fields are empty; fill them in"),
    # the type of a value
    (
        "E-TYPE-AMOUNT",
        "金额格式不正确，应为小于十万亿、最多两位小数的数字，如1234.50",
        "not an amount; write digits with at most two decimals, such as 1234.50, below ten trillion",
    ),
    (
        "E-TYPE-DATE",
        "日期格式不正确或日期不存在，应为YYYY-MM-DD或约定格式",
        "not a date; write an existing date as YYYY-MM-DD or in the agreed form",
    ),
    ("E-TYPE-MONTH", "月份格式不正确，应为YYYY-MM或约定格式", "not a month; write YYYY-MM or the agreed form"),
    ("E-TYPE-INTEGER", "应为整数", "not a whole number"),
    (
        "E-TYPE-TEXT",
        "文本过长或含有不可存储的字符，请更正",
        "the text is too long or holds characters that can't be stored; correct it",
    ),
    # the value itself
    ("E-VALUE-LIST", "取值不在允许范围内，请使用约定代码", "the value is not in its list; use an agreed code"),
    (
        "E-VALUE-MAP",
        "取值在来源配置的对照表中不存在，请更正或补充对照",
        "the value is absent from the profile's value map; correct it or extend the map",
    ),
    (
        "E-VALUE-MASKED",
        "更正文件中仍有遮盖或截断的内容，请填写完整的原文",
        "a file of corrections still holds masked or cut-off text; fill in the whole value",
    ),
    (
        "E-VALUE-NEGATIVE",
        "不允许为负数，冲减请使用相应的冲正事件",
        "must not be negative; a reversal is an event type of its own",
    ),
    (
        "E-VALUE-REGION",
        "统筹区代码未知，请使用已配置的六位代码",
        "the region is not known; use a configured six-digit code",
    ),
    (
        "E-VALUE-CERTIFICATE",
        "公民身份号码校验不通过（GB 11643），请核对",
        "the identity number fails GB 11643; check it",
    ),
    (
        "E-VALUE-BIRTH-DATE",
        "出生日期与公民身份号码中的不一致，请核对两者",
        "the birth date differs from the one in the identity number; check both",
    ),
    (
        "E-VALUE-SEX",
        "性别与公民身份号码所示的不一致，请核对两者",
        "the sex differs from what the identity number says; check both",
    ),
    (
        "E-VALUE-PERSONAL",
        "该列不得出现公民身份号码，请改报人员编号或业务编号后重新报送",
        "an identity number must not stand in this column; send the person's number or the source's own key instead",
    ),
    (
        "E-VALUE-CREDIT-CODE",
        "统一社会信用代码校验不通过（GB 32100），请核对",
        "the unified social credit code fails GB 32100; check it",
    ),
    ("E-VALUE-AMOUNT", "至少一项缴费金额或滞纳金须大于零", "one of the amounts or the late fee must be above zero"),
    ("E-VALUE-NO-AMOUNT", "该事件不带金额，请清空金额", "this event carries no amount; leave it empty"),
    (
        "E-VALUE-BASE",
        "缺少缴费基数，无法计算划入个人账户金额，请补填基数或划入金额",
        "the contribution base is missing; send it, or the personal-account credit itself",
    ),
    (
        "E-VALUE-CREDIT",
        "划入个人账户金额须在零与缴费金额之间",
        "the personal-account credit must lie between zero and the amount",
    ),
    ("E-VALUE-ACCOUNT", "该事件不能使用此账户，请更正账户", "this account can't be used in this event; correct it"),
    (
        "E-VALUE-ACCOUNT-CODE",
        "不是该基金可记账的会计科目，请更正科目代码",
        "not a posting account of this fund's chart; correct the account code",
    ),
    (
        "E-VALUE-SUB-FUND",
        "该事件不能带此子基金，请清空或更正",
        "this event can't carry this sub-fund; leave it empty or correct it",
    ),
    (
        "E-VALUE-FUND",
        "该事件的基金不正确，请更正基金代码",
        "the fund is not the one this event is about; correct fund_code",
    ),
    (
        "E-VALUE-SERVICE-DATE",
        "年终清算收回的就诊日期不能晚于收回日期，请更正就诊日期",
        "a recovery from the yearly clearing can't precede its service date; correct service_on",
    ),
    (
        "E-VALUE-BIRTH-COUNT",
        "胎儿数至少为一，请更正；与分娩无关的留空",
        "a birth has at least one child; correct birth_count, or leave it empty where it is not about a birth",
    ),
    ("E-VALUE-MERGER-DATE", "基金并入的日期须为该统筹区的合并日", "fund.merged must be dated the region's merger date"),
    (
        "E-VALUE-MERGER-TWICE",
        "该统筹区的基金并入已经登记过，只能登记一次",
        "the merger of this region is recorded already; send it once",
    ),
    # families
    ("E-CLAIM-SUM", "各项支付之和不等于医疗费总额，请核对", "the parts do not add up to medical_fee_total; check them"),
    (
        "E-MATERNITY-MONTH",
        "合并月起不再单独征收生育保险费，请按职工医保(310)报送",
        "no maternity contributions (510) for months from the merger on; send them under 310",
    ),
    (
        "E-MATERNITY-CATEGORY",
        "灵活就业人员和退休人员不缴生育保险费",
        "flexible workers and retirees pay no maternity contribution (510)",
    ),
    (
        "E-MATERNITY-PERSONAL",
        "个人不缴生育保险费，请清空个人缴费",
        "nothing is collected from individuals for maternity (510); leave the personal amount empty",
    ),
    (
        "E-MATERNITY-ITEM",
        "该险种在该日期不支付此待遇项目，请更正险种或项目",
        "this benefit item is not paid under this insurance type at this date; correct either",
    ),
    (
        "E-MATERNITY-PA",
        "生育津贴和一次性营养补助不由个人账户支付",
        "allowance and nutrition subsidy are never paid from the personal account",
    ),
    (
        "E-TREASURY-PATH",
        "资金不得在这两个账户间划转，请更正账户",
        "money may not move between these two accounts; correct them",
    ),
    (
        "E-TREASURY-TRANSFER",
        "关系转移只能用于职工医保(EMI)个人账户",
        "transfers of movers are for fund EMI, sub-fund personal only",
    ),
    (
        "E-TREASURY-MERGED",
        "合并日起不再有生育保险基金(MAT)业务，请改报职工医保(EMI)",
        "the maternity fund (MAT) has no business from the merger date on; send it for EMI",
    ),
    # references that may come true later: such rows wait and are tried again
    (
        "E-REF-ORIGINAL",
        "找不到原业务，将在其到达后自动重试；如编号有误请更正后重报",
        "the original event is not there yet; the row is tried again when it has come; correct the key if it is wrong",
    ),
    (
        "E-REF-TYPE",
        "原业务类型不符，请更正原业务编号",
        "the original event is of the wrong type; correct original_event_key",
    ),
    (
        "E-REF-AMOUNT",
        "金额超过原业务的剩余金额，请核对",
        "the amount exceeds what remains of the original event; check it",
    ),
    (
        "E-REF-FUND",
        "基金与原业务的基金不一致，请更正基金代码",
        "the fund differs from that of the original event; correct fund_code",
    ),
    (
        "E-REF-PERSON",
        "尚无该人员的出生日期，登记信息到达后自动重试",
        "the person's birth date is not known yet; the row is tried again when the registration has come",
    ),
    (
        "E-REF-POLICY",
        "该统筹区该月份的费率、基数或划入政策尚未配置，配置后自动重试",
        "no rate, base limits or credit rate is configured for this region and month; tried again when it is",
    ),
    # the same key again
    (
        "E-CONFLICT",
        "同一业务编号已有不同内容，如需更正请以新编号报送冲正与重报",
        "the same key has come with other content; to correct it, send a reversal and a new row under new keys",
    ),
    # dates
    ("E-PERIOD-FUTURE", "业务日期晚于今天，请核对日期", "the business date lies in the future; check it"),
    # closing a month
    (
        "E-PERIOD-ORDER",
        "该月现在不能关账：须逐月依次关账，且该月已结束、未关账",
        "this month can't be closed now: months are closed one after the other, when they have ended, and once",
    ),
    (
        "E-PERIOD-BEHIND",
        "账簿未包含日志中的全部资金业务，请先运行 build_ledger 并发布后再申请关账",
        "the published books lack money events of the log; run build_ledger until they are published, then ask again",
    ),
    (
        "E-PERIOD-CHECKS",
        "关账清单有未通过的项目，请处理后重新申请",
        "items of the checklist stand against closing; settle them, then ask again",
    ),
    (
        "E-PERIOD-MOVED",
        "检查之后又有业务记入该月，批准无效，请重新申请",
        "the month has received facts since it was checked: the approval is void, ask again",
    ),
    (
        "E-PERIOD-APPROVER",
        "批准人不得为制表人或申请账号，请由他人批准",
        "who approves may be neither the preparer nor the account that asked; let somebody else approve",
    ),
    (
        "E-PERIOD-REASON",
        "须写明原因：放行未通过的项目或退回申请时必填",
        "a reason is needed, to waive an item of the checklist or to reject",
    ),
    (
        "E-PERIOD-DECIDED",
        "该申请已有决定，不再有效，请重新申请",
        "the request has been decided and is good no longer; ask again",
    ),
    (
        "E-PERIOD-DIFFERS",
        "账簿与批准时不同，批准无效，请核对后重新申请",
        "the figures are not those that were approved: the approval is void; compare, then ask again",
    ),
    (
        "E-PERIOD-CLOSED",
        "该月在此业务之前已关账，不得再记入（数据库拒绝），迟到业务应记入开放月份",
        "the month was closed before the fact: the database refuses its line; late facts post to the open month",
    ),
    (
        "E-PERIOD-SEQ",
        "该序号尚未发布，或无权查看，请选已发布的序号",
        "the seq is not published, or not yours to read; ask for a published one",
    ),
    (
        "E-PERIOD-EMPTY",
        "截至该序号，账簿尚无该月，请选已有发生额的月份",
        "as of that seq the books do not reach the month; ask for a month that they cover",
    ),
    ("E-PERIOD-UNKNOWN", "没有该申请或月份，请核对", "there is no such request or month; check it"),
    # reviewing vouchers; the first three are raised by the database
    (
        "E-REVIEW-PREPARER",
        "凭证由流水线账号制单，不得由其复核，请以本人账号登录",
        "vouchers are prepared by the pipeline's accounts, which may not review them: log in under your own account",
    ),
    (
        "E-REVIEW-VOUCHER",
        "没有已发布的该凭证，请核对统筹区、基金、月份和凭证号",
        "there is no such published voucher: check region, fund, month and number",
    ),
    ("E-REVIEW-REASON", "再次复核或提出异议须写明原因", "a second review, or an objection, needs a reason"),
    (
        "E-REVIEW-ROLE",
        "本账号没有凭证复核权限，请由管理员以 reviewer 角色建立账号",
        "this account may not review vouchers; let an administrator make one of role reviewer",
    ),
    # deciding on what the checks have found
    (
        "E-FINDING-UNKNOWN",
        "没有该待处理的问题或有效的决定，请用 python -m expectations list 核对统筹区、检查代码和项目",
        "there is no such standing finding or decision: look it up with python -m expectations list",
    ),
    (
        "E-FINDING-FAIL",
        "不通过的问题不得接受，只有提示可以，请更正后重新运行",
        "a finding of severity fail can't be accepted, only warnings can; correct it and run again",
    ),
    (
        "E-FINDING-REVIEW",
        "只有政策审视和智能监控（P、S 开头的检查）发现的问题可以排除或确认，其他检查请用 accept 或 reject",
        "only findings of the review (checks beginning with P or S) are dismissed or confirmed; use accept or reject"
        " for others",
    ),
    (
        "E-FINDING-LIMIT",
        "接受须有期限和上限：截止日期不早于今天且在一年之内，金额、行数上限不得为负，接受全部提示（*）须写明行数上限",
        "an acceptance needs an end and limits: a date from today on and within a year, limits that are not negative,"
        " and a number of rows when all warnings (*) are accepted",
    ),
    (
        "E-FINDING-REASON",
        "须写明决定人和理由，且其中不得含有公民身份号码",
        "who decides and the reason are needed, and neither may hold an identity number",
    ),
)

CODES = {code: ErrorCode(code, zh, en) for code, zh, en in _TABLE}


def message(code: str, detail: str = "", where: str = "") -> str:
    """`<where> <code> <Chinese> [detail] / <English>`; `where` is file and line.

    Identity numbers in the detail are masked: in a file without a header, the columns named are somebody's data.
    """
    entry = CODES[code]
    parts = (where, entry.code, entry.zh, f"[{mask_in_text(detail)}]" if detail else "", "/", entry.en)
    return " ".join(part for part in parts if part)
