"""Numbers of invented persons and organisations: valid by their check characters, and nobody's."""

from __future__ import annotations

from datetime import date

from runtime.samples.identifiers import certificate_no, credit_code


def test_certificates_are_valid_and_ours_alone() -> None:
    # 11010519491231002X is the worked example of GB 11643.
    assert certificate_no("110105", date(1949, 12, 31), 0, "F").startswith("11010519491231002")
    assert certificate_no("110105", date(1949, 12, 31), 0, "F")[-1] == "X"


def test_credit_codes_carry_their_check_character() -> None:
    code = credit_code("320100", 12_345_678)
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(alphabet.index(char) * weight for char, weight in zip(code, weights, strict=False))
    assert len(code) == 18
    assert alphabet[(31 - total % 31) % 31] == code[-1]
