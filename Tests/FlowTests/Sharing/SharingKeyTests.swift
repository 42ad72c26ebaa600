import TestSupport
import Testing

@testable import Flow

@Suite struct SharingKeyTests {
    private typealias Fields = [(name: String, value: String)]

    private func key(
        _ names: [String] = [], method: String = "GET", hasContent: Bool = false, isSecure: Bool = false,
        authority: String? = "a.example", target: String = "/x", scope: Int = 1, _ fields: Fields = []
    ) throws(SharingRefusal) -> SharingKey {
        try SharingRules(names: names).key(
            of: .init(
                method: method, hasContent: hasContent, isSecure: isSecure, authority: authority, target: target),
            scope: scope
        ) { name in fields.filter { $0.name == name }.map(\.value) }
    }

    private func refusal(_ names: [String] = [], _ fields: Fields) -> SharingRefusal? {
        do throws(SharingRefusal) {
            _ = try key(names, fields)
            return nil
        } catch {
            return error
        }
    }

    @Test func whatIdentifiesAClientIsSharedOnlyIfTheKeyNamesIt() throws {
        #expect(refusal([], [("authorization", "x")]) == .authorization)
        #expect(refusal([], [("proxy-authorization", "x")]) == .authorization)
        #expect(refusal([], [("cookie", "")]) == .cookie)
        #expect(refusal([], [("range", "bytes=0-")]) == .range)
        #expect(refusal(["Authorization", "Cookie"], [("authorization", "x"), ("cookie", "y")]) == nil)
        #expect(
            try key(["Authorization"], [("authorization", "x")]) != key(["Authorization"], [("authorization", "y")]))
    }

    @Test func onlyGetWithoutContentShares() {
        #expect(throws: SharingRefusal.method) { try key(method: "HEAD") }
        #expect(throws: SharingRefusal.method) { try key(method: "POST") }
        #expect(throws: SharingRefusal.content) { try key(hasContent: true) }
    }

    @Test func everyPartSeparates() throws {
        let one = try key()
        #expect(try one == key())
        #expect(try one != key(isSecure: true))
        #expect(try one != key(authority: "b.example"))
        #expect(try one != key(authority: nil))
        #expect(try one != key(target: "/x?"))
        #expect(try one != key(scope: 2))
    }

    @Test func aFieldThatWasNotSentIsNotAnEmptyOne() throws {
        #expect(try key(["a", "b"], [("a", "")]) != key(["a", "b"], []))
        #expect(try key(["a", "b"], [("a", "x")]) != key(["a", "b"], [("b", "x")]))
        #expect(try key(["a"], [("a", "x"), ("a", "y")]) != key(["a"], [("a", "x, y")]))
        #expect(try key(["a"], [("a", "x"), ("a", "y")]) != key(["a"], [("a", "y"), ("a", "x")]))
    }

    @Test func fieldsOfWeirAndOfOneConnectionAreInNoKey() {
        for name in [
            "Accept-Encoding", "Prefer", "TE", "Last-Event-ID", "X-Stream-Rate-Limit", "X-Stream-Id", "Host",
            "Connection", "X_Tenant",
        ] {
            #expect(!SharingRules.mayName(name))
        }
        #expect(SharingRules.mayName("Accept"))
        #expect(SharingRules.mayName("Authorization"))
    }

    @Test func aFieldThatIdentifiesAClientExcludesUnlessTheKeyNamesIt() {
        let rules = SharingRules(names: ["Authorization", "X-Tenant"])
        #expect(["Cookie", "range", "Proxy-Authorization"].allSatisfy { rules.excludes($0) })
        #expect(["authorization", "X-Tenant", "Accept"].allSatisfy { !rules.excludes($0) })
    }

    /// Two requests of one key may differ only in fields that reach no upstream, and none of these identifies a client.
    @Test(arguments: 0..<200) func noTwoIdentitiesShare(seed: Int) throws {
        var random = SeededGenerator(seed: seed)
        let identity = ["authorization", "cookie", "proxy-authorization", "range"]
        let names = ["accept", "x-tenant", "x-api-key", "accept-language"] + identity
        let values = ["", "a", "b", "a, b", "a,b", "A"]
        func someFields() -> Fields {
            (0..<Int.random(in: 0...4, using: &random)).map { _ in
                (names.randomElement(using: &random) ?? "", values.randomElement(using: &random) ?? "")
            }
        }
        let named = names.filter { _ in Bool.random(using: &random) }
        var known: [SharingKey: (target: String, fields: Fields)] = [:]
        for _ in 0..<300 {
            let fields = someFields()
            let target = ["/x", "/X", "/x?a=b", "/x?a=b&", "/x?b=a"].randomElement(using: &random) ?? ""
            guard let key = try? key(named, target: target, fields) else { continue }
            guard let other = known[key] else {
                known[key] = (target, fields)
                continue
            }
            #expect(other.target == target)
            for name in Set(named).union(identity) {
                #expect(
                    other.fields.filter { $0.name == name }.map(\.value)
                        == fields.filter { $0.name == name }.map(\.value))
            }
        }
    }
}
