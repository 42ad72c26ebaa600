import Flow
import Testing

@Suite struct CrossOriginPolicyTests {
    private var policy: CrossOriginPolicy {
        var policy = CrossOriginPolicy()
        policy.origins = ["https://app.example"]
        return policy
    }

    private func values(_ fields: CrossOriginPolicy.Fields) -> [String: String] {
        Dictionary(fields) { first, _ in first }
    }

    @Test func anAllowedOriginIsNamedAndMayReadTheFieldsOfStreams() {
        let fields = values(policy.fields(for: "https://app.example"))
        #expect(fields["Access-Control-Allow-Origin"] == "https://app.example")
        #expect(fields["Access-Control-Expose-Headers"]?.contains("X-Stream-Id") == true)
        #expect(fields["Access-Control-Expose-Headers"]?.contains("Retry-After") == true)
        #expect(fields["Access-Control-Allow-Credentials"] == nil)
        #expect(fields["Vary"] == "Origin")
    }

    @Test(arguments: [nil, "https://evil.example", "http://app.example", "https://app.example.evil", "null", ""])
    func anotherOriginGetsNothing(origin: String?) {
        #expect(values(policy.fields(for: origin)) == ["Vary": "Origin"])
        #expect(values(policy.preflight(for: origin ?? "", method: "GET")) == ["Vary": "Origin"])
    }

    @Test func everyOriginIsAStarThatCachesShare() {
        var policy = CrossOriginPolicy()
        policy.allowsAnyOrigin = true
        let fields = values(policy.fields(for: "https://x.example"))
        #expect(fields["Access-Control-Allow-Origin"] == "*")
        #expect(fields["Vary"] == nil)
        #expect(policy.fields(for: nil).isEmpty)
    }

    @Test func aPreflightGrantsTheMethodAndTheFields() {
        var policy = policy
        policy.headers = ["X-Tenant"]
        policy.allowsCredentials = true
        let fields = values(policy.preflight(for: "https://app.example", method: "POST"))
        #expect(fields["Access-Control-Allow-Methods"] == "POST")
        #expect(fields["Access-Control-Allow-Headers"]?.hasSuffix("X-Stream-Resume, X-Tenant") == true)
        #expect(fields["Access-Control-Max-Age"] == "600")
        #expect(fields["Access-Control-Allow-Credentials"] == "true")
    }

    @Test func aUnionAllowsWhatOneOfThemAllows() {
        var other = CrossOriginPolicy()
        other.origins = ["https://b.example"]
        other.allowsCredentials = true
        let both = CrossOriginPolicy.union([policy, other])
        #expect(both?.origins == ["https://app.example", "https://b.example"])
        #expect(both?.allowsCredentials == true)
        other.allowsAnyOrigin = true
        #expect(CrossOriginPolicy.union([policy, other])?.allowsCredentials == false)
        #expect(CrossOriginPolicy.union([]) == nil)
    }
}
