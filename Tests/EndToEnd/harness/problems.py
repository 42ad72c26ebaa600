"""What every refusal looks like (RFC 9457, and Retry-After where waiting helps)."""


def problem(response, status, kind, media_type="application/json"):
    """Checks a refusal and returns its problem object."""
    assert response.status == status, f"{response.status}: {response.read()!r}"
    assert response.head["Content-Type"] == media_type
    assert int(response.head["Content-Length"]) > 0
    members = response.json()
    assert response.complete
    assert members["type"] == f"https://example.com/problems/{kind}"
    assert members["status"] == status
    assert members["title"] and members["detail"]
    retry_after = response.head["Retry-After"]
    if status in (429, 503):
        assert int(retry_after) >= 1
        assert members["retryAfter"] == int(retry_after)
    else:
        assert retry_after is None and "retryAfter" not in members
    return members
