"""A failure in words: the case, its bytes, and what each hop saw."""


LONGEST = 2000  # characters of a finding
MEMBERS = ["method", "path", "status", "reason", "upstream"]  # of the access log


def describe(failure):
    case = failure.case
    note = "" if failure.reproduced else " (not when run alone)"
    lines = [f"FAILED {case.kind} case {case.name}: mutations {case.mutations}{note}"]
    if case.reason:
        lines.append(f"  {case.verdict}: {case.reason}")
    lines += [f"  finding: {origin}: {finding.text[:LONGEST]}" for origin, finding in unique(failure.findings)]
    lines += [f"  sends: {piece!r}" if piece else "  waits for an answer" for piece in case.pieces]
    for stream in case.streams:
        lines.append(f"  stream: {stream.fields} data {stream.data} trailers {stream.trailers} ends {stream.ends}")
    if case.script:
        lines.append(f"  origin: {case.script}"[:2 * LONGEST])
    for origin, visit in failure.visits[:2]:
        lines.append(f"  {origin}{', the probe' if visit.is_probe else ''}:")
        lines += [f"    RFC:    {expected}" for expected in visit.expected]
        lines += [f"    weir:   {' '.join(str(line.get(member, '-')) for member in MEMBERS)}" for line in visit.lines]
        lines += [f"    {name}: {record}" for name, record in visit.records]
        lines += [f"    client: {response}"[:LONGEST] for response in visit.exchange.responses]
    return "\n".join(lines)


def brief(failure):
    """One line."""
    case, (origin, finding) = failure.case, failure.findings[0]
    origins = len({name for name, _ in failure.findings})
    kind = "FAILED" if failure.counts else "late, once:"
    return f"{kind} {case.kind} case {case.name} {case.mutations}: {origins} origins, {origin}: {finding.text}"


def unique(findings):
    kept = {}
    for origin, finding in findings:
        kept.setdefault((origin, finding.text[:60]), (origin, finding))
    return kept.values()
