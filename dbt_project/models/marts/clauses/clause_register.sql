select
    clause.clause_id,
    clause.region_code,
    clause.document_no,
    clause.clause_order,
    clause.section,
    clause.clause_zh,
    clause.clause_en,
    clause.answer_zh,
    clause.answer_en,
    clause.is_for_software,
    answer.answer_kind,
    answer.answer_name
from {{ ref('clause') }} as clause
left join {{ ref('clause_answer') }} as answer on clause.clause_id = answer.clause_id
where {{ readable('clause.region_code') }}
