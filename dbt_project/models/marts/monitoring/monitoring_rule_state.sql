select
    judged.region_code,
    judged.rule_code,
    rule.title_zh,
    rule.title_en,
    judged.state,
    judged.missing
from {{ ref('monitoring_state') }} as judged
inner join {{ ref('monitoring_rule') }} as rule on judged.rule_code = rule.rule_code
where {{ readable('judged.region_code') }}
