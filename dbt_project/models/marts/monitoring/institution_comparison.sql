select
    compared.region_code,
    compared.institution_code,
    compared.first_on,
    compared.last_on,
    compared.cases,
    compared.caesareans,
    compared.caesarean_share,
    compared.peer_cases,
    compared.peer_share,
    compared.lower_limit,
    compared.upper_limit,
    case
        when compared.caesarean_share > compared.upper_limit then 'above'
        when compared.caesarean_share < compared.lower_limit then 'below'
        when compared.peer_share is not null then 'within'
    end as position,
    compared.average_amount
from {{ ref('monitoring_institution') }} as compared
where {{ readable('compared.region_code') }}
