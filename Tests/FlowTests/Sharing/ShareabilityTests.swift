import Testing

@testable import Flow

@Suite struct ShareabilityTests {
    private let rules = SharingRules(names: ["Accept", "X-Tenant"])

    private func refusal(
        status: Int = 200, isStream: Bool = true, setsCookie: Bool = false, vary: [Substring] = [],
        cacheControl: [Substring] = []
    ) -> SharingRefusal? {
        Shareability.refusal(
            of: .init(
                status: status, isStream: isStream, setsCookie: setsCookie, vary: vary, cacheControl: cacheControl),
            by: rules)
    }

    @Test func aStreamWithoutConditionsIsShared() {
        #expect(refusal() == nil)
        #expect(refusal(status: 206) == nil)
        #expect(
            refusal(vary: ["accept", " X-TENANT ", "Accept-Encoding"], cacheControl: ["no-cache", "max-age=0"]) == nil)
    }

    @Test func everyConditionRefuses() {
        #expect(refusal(status: 199) == .status)
        #expect(refusal(status: 404) == .status)
        #expect(refusal(isStream: false) == .notAStream)
        #expect(refusal(setsCookie: true) == .setCookie)
        #expect(refusal(vary: ["*"]) == .vary)
        #expect(refusal(vary: ["Accept", "Origin"]) == .vary)
        #expect(refusal(vary: ["Host"]) == .vary)
        #expect(refusal(cacheControl: ["no-cache", " Private"]) == .cacheControl)
        #expect(refusal(cacheControl: ["private=\"set-cookie\""]) == .cacheControl)
        #expect(refusal(cacheControl: ["NO-STORE"]) == .cacheControl)
    }
}
