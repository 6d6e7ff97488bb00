"""What to do when a check fails, for every check of the catalogue."""

from __future__ import annotations

from expectations.suites.monitoring import rules
from reporting.names import Name

ACTIONS = {
    "B01": Name(
        "记下分录编号，通知数据运维查明记账程序；不得手工改账。",
        "Note the entries and have data operations look at the posting; never mend the ledger by hand.",
    ),
    "B02": Name("先处理 B01、C06 所列问题，再重新构建。", "Settle what B01 and C06 list, then build again."),
    "B03": Name(
        "按所列项目和月份，核对资产负债表与分录。", "Compare the balance sheet with the entries of the listed month."
    ),
    "B04": Name(
        "核对所列月份的期初数；缺月份或期初被改动的，通知数据运维。",
        "Look at the openings of the listed months; data operations acts if a month is missing or has changed.",
    ),
    "B05": Name(
        "核对科目与报表项目的对应关系，更正后重新构建。",
        "Look at which account belongs to which line; correct it and build again.",
    ),
    "B06": Name(
        "查明未分清统筹基金与个人账户的分录。", "Find the entry that belongs to neither pooled nor personal funds."
    ),
    "B07": Name(
        "请来源单位补报基金并入事项，或更正记在合并日之后的生育保险基金款项。",
        "Ask the source for the merger of the fund, or to correct money of the old fund dated after it.",
    ),
    "B08": Name(
        "账簿被改动或有事后记账：停止发布，与已签署文件（signoff.signed_file）核对，见运行手册“关账”",
        "books have been changed, or posted to afterwards: compare with what was signed; see the runbook on closing",
    ),
    "B09": Name(
        "核对收入户当月未划转的款项，督促及时划缴财政专户。",
        "See what stayed in the income account, and have it transferred.",
    ),
    "B10": Name(
        "核对所列科目的期初余额和划款是否漏报。", "See whether an opening balance or a transfer has not been sent."
    ),
    "B11": Name(
        "按月核对个人账户明细与资产负债表个人账户结余，缺失的重建账簿。",
        "Compare the persons of the month with the balance sheet; where one is missing, rebuild the ledger.",
    ),
    "B12": Name(
        "请来源单位更正业务日期；确属建账前的业务已含在期初余额中。",
        "The source corrects the date; what came before the opening is in its balances already.",
    ),
    "C01": Name(
        "请来源单位核对文件行数、控制总额与清单；更正后以新文件名重报。",
        "Ask the source to compare rows and totals with the manifest, and to send the correction under a new name.",
    ),
    "C02": Name(
        "业务日志可能被改动或丢失：停止发布，通知内部审计。",
        "The log may have been changed: stop, and tell internal audit.",
    ),
    "C03": Name(
        "记账规则缺失或重叠的，由会计补充规则；金额不符的，通知数据运维。",
        "Accounting completes the posting rules; where amounts differ, data operations acts.",
    ),
    "C04": Name(
        "向来源单位催报；已报而被拒收的，按拒收原因更正后重报。",
        "Remind the source; what was rejected is corrected and sent again.",
    ),
    "C05": Name(
        "按错误码请来源单位更正后重报，见“隔离数据”。",
        "The source corrects and resends, see the section on rows held back.",
    ),
    "C06": Name("重新构建；仍不通过的，通知数据运维。", "Build again; if it fails again, data operations acts."),
    "C07": Name(
        "arrears/… 行：重新构建，仍有的通知数据运维；missing/… 行：核实单位是否漏核定，漏报的按上月的110%暂定。",
        "Rows arrears/…: build again, then tell data operations. Rows missing/…: ask whether the employer was left "
        "out; what is not declared is set provisionally at 110 % of the month before.",
    ),
    "C08": Name(
        "按列出的结算单催办拨付；确有争议或退票的，登记原因；“open/…” 行通知数据运维重建账簿。",
        "Have the listed claims paid, or record why not (dispute, bank return); rows open/…: rebuild the ledger.",
    ),
    "C09": Name(
        "“above/…” 行：停止该结算单支付，核实后追回或补报结算；“without/…” 行：请来源单位补报结算；其余各行重建账簿。",
        "Rows above/…: stop paying the claim, recover or have the settlement sent; without/…: the source sends the "
        "settlement; other rows: rebuild the ledger.",
    ),
    "C10": Name(
        "请来源单位补报参保、人员或单位登记，或更正编号；查实不应享受待遇的，追回。登记到达后本项自行消除。",
        "The source sends the registration or corrects the number; what was not due is recovered. A finding goes by "
        "itself when the registration has come.",
    ),
    "M01": Name(
        "核对记账规则：合并后生育保险费并入单位缴费，不再单列收入。",
        "See the posting rules: after the merger maternity premiums are employers' contributions.",
    ),
    "M02": Name(
        "将报表、生育支出明细与业务支付逐项核对。", "Compare statement, maternity detail and payments item by item."
    ),
    "M03": Name(
        "核对该笔支付的列支渠道：生育待遇由统筹基金支付。", "See how the payment is charged: the pooled fund pays it."
    ),
    "M04": Name(
        "请参保登记岗位按单位核对所列人员，补办或终止参保登记；合并后不再单独办理生育参保。",
        "Registration compares the listed persons employer by employer, and enrols them or ends the rest.",
    ),
    "M05": Name(
        "对照文件核对 policy_rate 的合并前后各行；费率另有调整的，补充一行并注明依据。",
        "Compare the rows of policy_rate before and after the merger with the documents; a new rate is a new row.",
    ),
    "M06": Name(
        "请来源单位核实并退费：个人不缴纳生育保险费。", "The source verifies and refunds: individuals pay none."
    ),
    "M07": Name(
        "请结算岗位更正付费方式；本统筹区新增项目的，会计在 policy_payment_method 补充一行。",
        "Settlement corrects the payment method; for an item new to the region accounting adds a row to the policy.",
    ),
    "M08": Name(
        "按所列规则、天数和日基数复核：多付的追回，少付的补发；无法计算的，补报分娩结算、孕周或标准。",
        "Recompute by the listed rules: recover what is too much, pay what is missing; send what can not be computed.",
    ),
    "M09": Name(
        "平台并入后的业务退回来源单位，改由医保结算平台报送；合计不符的，与平台逐笔核对。",
        "Facts dated after the migration go back to the source; where totals differ, compare payment by payment.",
    ),
    "P01": Name(
        "与另一统筹区、单位核对，保留一处参保，另一处停保并退还重复期间的保费；一人两个编号的，合并编号。",
        "Settle with the other region or employer where the person stays, end the other one and refund; merge numbers.",
    ),
    "P02": Name(
        "向单位核实用工之日，补缴欠缴月份及滞纳金；补报的，核对劳动合同与工资记录。",
        "Ask the employer for the day of employment and collect what is owed; if backdated, check contract and wages.",
    ),
    "P03": Name(
        "逐人见 marts.assessment_difference：核定有误的重新核定（报送全额）；"
        "费率、基数、减征或单位类型缺失的，补充参数行或登记。",
        "Persons are in marts.assessment_difference: a wrong assessment is made anew, with the whole amount; a missing "
        "rate, limit, relief or employer type is added.",
    ),
    "P04": Name(
        "逐人见 marts.supplementary_assessment：按现行规则补充核定（报送全额，取代原核定），"
        "多缴的退费；已关账月份不变。",
        "Persons are in marts.supplementary_assessment: assess anew by the rule in force, with the whole amount, and "
        "refund what is too much; closed months stay closed.",
    ),
    "P05": Name(
        "逐案见 marts.benefit_before_after_merger：规则降低的，核对 policy_allowance_days 等参数行及文件；"
        "实付低于合并前规则的，补发。",
        "Cases are in marts.benefit_before_after_merger: where the rules give less, compare the rows of the policy "
        "with the documents; where less was paid than before, pay the rest.",
    ),
    "P06": Name(
        "与机构核对所列结算：多付的在下期结算扣回或追回，少付的补付；价格已调整的，会计在 policy_price 追加一行。",
        "Compare the listed settlements with the institution: take back or pay the rest; a new price is a new row.",
    ),
    "P07": Name(
        "补签或续签协议并写明生育医疗服务要求和指标；已签的在 provider_agreement 追加一行；确无协议的停止结算并核查。",
        "Sign or renew the agreement with its maternity clauses, add the row of a signed one, or stop paying.",
    ),
    "P08": Name(
        "查明逾期环节并告知申请人；申请日期报错的，请来源单位更正。",
        "Find where the time went and tell the claimant; a wrong day of application is corrected by the source.",
    ),
    "P09": Name(
        "预付款安排冲抵或收回；质量保证金完成年度考核后返还或按协议扣除。",
        "Offset or take back the advance; release the deposit after the yearly assessment, or keep what is due.",
    ),
    "P10": Name(
        "约谈机构，核对分子、分母所含病例；属协议违约的按协议处理，目标值调整的追加一行。",
        "Talk to the institution about the cases behind the figure; act by the agreement; a new target is a new row.",
    ),
    "P11": Name(
        "看风险预警页：分子、分母、公式和预警线；查明是收入、支出还是个别机构所致，按预案处置，预警线不当的另加参数行。",
        "See the page of risk: numerator, denominator, formula and line; find whether income, expenditure or one "
        "institution causes it, act by the plan; a wrong line is replaced by a further row.",
    ),
    "P12": Name(
        "看预算页：超支的先调整预算（另加一次调整的行），偏离的查明原因；缺少的说明和不符的合计，另加行补正。",
        "See the page of budgets: adjust a budget that is exceeded (rows of a further adjustment), explain what is far "
        "from time; lacking explanations and wrong totals are put right by further rows.",
    ),
    "P13": Name(
        "催报未到的文件，更正隔离的行后重报；统计与收支表不符的，通知数据运维。",
        "Ask for the files that are due and have rows that wait corrected; where statistics differ from the statement, "
        "tell data operations.",
    ),
    "P14": Name(
        "先发布该月账簿，再打印公开表张贴，并把 CSV 文件交公开平台；公开日历缺有效行的，补一行。",
        "Have the month published, print the table and hand over its CSV file; add a row where the calendar has none.",
    ),
    "T01": Name(
        "核对该笔业务所报账户；确属违规收付的，立即划回并报告，账户报错的请来源单位冲正后重报。",
        "See which account was reported: correct a wrong one; money that went astray is moved back and reported.",
    ),
    "T02": Name(
        "按所列项目核对银行、国库对账单：未达账项跟踪到下期清除，其余查明后补报或冲正。",
        "Compare with the statement item by item: what is in transit must clear, the rest is sent or corrected.",
    ),
    "T03": Name(
        "与税务机关核对所列日期、月份的入库明细，缺报的补报，多报的冲正。",
        "Compare receipts of the listed days and months with the tax office; send or correct what differs.",
    ),
    "T04": Name(
        "与财政部门核对拨付和直接支付，再按所列各项查支出户、现金、暂付款、暂收款的变动。",
        "Compare fundings and direct payments with the fiscal side, then the listed changes of the accounts.",
    ),
    "T05": Name(
        "与该机构逐笔核对当月支付，未收到的查支付是否成功。",
        "Compare the month's payments with the institution; ask the bank for what it has not received.",
    ),
    "T06": Name(
        "逐项清理：预付款冲抵或收回，未明款项查明归属，退回款项重付或冲回支出。",
        "Settle each item: offset or take back advances, identify receipts, pay returned payments again or write back.",
    ),
    "H01": Name(
        "校验不符的，停止发布，保全数据库与链头文件，通知内部审计；仅缺链头文件的，请数据运维补齐。",
        "If hashes differ: stop, keep everything, tell internal audit; data operations restores a missing file.",
    ),
    "H02": Name("停止发布，保全数据库，通知内部审计。", "Stop, keep the database as it is, and tell internal audit."),
    "H03": Name(
        "账簿与日志不符：暂停发布，查明何人改动；之后以重放重建账簿，由专人恢复发布。",
        "The books are not what the log leads to: find out who changed them, replay, then have the freeze lifted.",
    ),
    "H04": Name("先查服务器时钟，再按 H02 处理。", "Look at the server's clock first, then as for H02."),
    "F01": Name(
        "联系该来源单位，确认报送是否中断；不再报送的，在日历中写明截止期。",
        "Ask the source whether it has stopped sending; when it is to send no more, the calendar says until when.",
    ),
    "F02": Name(
        "查看最近的构建与审计运行为何未成功；暂停发布的统筹区，见暂停原因。",
        "See why the last builds and audits did not succeed; of a frozen region, the reason of its freeze.",
    ),
}
ACTIONS |= {rule.code: Name(rule.todo_zh, rule.todo_en) for rule in rules()}
NO_ACTION = Name("请责任岗位查明原因。", "The owner finds the cause.")
