import HTTPText
import Testing

@Suite struct FieldNamesTests {
    @Test func aNameThatWasInsertedIsFoundInAnyCase() {
        for name in ["Host", "te", "X-Stream-Rate-Limit", "traceparent", "", "_"] {
            var names = FieldNames()
            names.insert(name)
            #expect(names.mayContain(name) && names.mayContain(name.uppercased()))
            #expect(names.mayContain(name.lowercased()))
        }
    }

    @Test func aNameThatIsMissingIsMostlyNotFound() {
        var names = FieldNames()
        for name in ["Host", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Cookie"] {
            names.insert(name)
        }
        #expect(
            !["TE", "Expect", "Connection", "Prefer", "traceparent", "X-Stream-Resume"].contains {
                names.mayContain($0)
            })
    }

    @Test func anUnknownHeadMayHaveEachName() { #expect(FieldNames.any.mayContain("X-Anything")) }
}
