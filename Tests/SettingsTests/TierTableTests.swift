import Flow
import HTTPText
import Testing

@testable import Settings

/// The files of `client_tier`.
@Suite struct TierTableTests {
    private func route(_ key: Route.ClientKey, tiers: [String] = ["gold", "silver"]) -> Route {
        var route = Route(match: .init(), upstreams: [UpstreamAddress(host: "o", port: 1)])
        route.clientKey = key
        for tier in tiers { route.tiers[tier] = .init(policy: route.policy, streams: route.streams) }
        route.clientTier = .file(.init(path: WrittenPath(path: "t", written: "`t`", line: 5, column: 7)))
        return route
    }

    /// What reading a file brings: the table, the errors, or the warnings.
    private func read(
        _ text: String, by key: Route.ClientKey = .header("X-Api-Key")
    ) -> (table: TierTable, errors: [String], warnings: [String]) {
        var configuration = Configuration(routes: [route(key)])
        do throws(ConfigurationErrors) {
            let warnings = try configuration.readTierFiles(namedIn: "proxy.conf") { _ in text }
            guard case .file(let file)? = configuration.routes[0].clientTier else { return (TierTable(), [], []) }
            return (file.table, [], warnings.map(\.description))
        } catch {
            return (TierTable(), error.errors.map(\.description), [])
        }
    }

    @Test func theTierIsTheLastWordOfALine() {
        let (table, errors, _) = read("# keys\r\n\n  one\tgold \r\nbearer two   silver\nthree gold")
        #expect(errors.isEmpty && table.count == 3)
        #expect(table.tier(of: ClientKey("one")) == "gold")
        #expect(table.tier(of: ClientKey("bearer two")) == "silver")
        #expect(table.tier(of: ClientKey("three")) == "gold")
        #expect(table.tier(of: ClientKey("bearer")) == nil && table.tier(of: ClientKey("# keys")) == nil)
    }

    @Test func aHashIsEquivalentToItsKey() {
        let hash = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"
        let (table, errors, _) = read("sha256:\(hash) gold\nother silver\n")
        #expect(errors.isEmpty)
        #expect(table.tier(of: ClientKey("test")) == "gold" && table.tier(of: ClientKey("other")) == "silver")
        #expect(table.tier(of: ClientKey(hash)) == nil && table.tier(of: ClientKey("tess")) == nil)
    }

    @Test func equalClientsHaveOneKey() {
        let credentials = read("BEARER  Abc gold", by: .header("authorization")).table
        let identity = Route.ClientKey.header("Authorization")
        #expect(credentials.tier(of: identity.key(of: "Bearer Abc")) == "gold")
        #expect(credentials.tier(of: identity.key(of: "Bearer abc")) == nil)
        let addresses = read(
            "192.0.2.1 gold\n2001:DB8:0:0::7 gold\n2001:db8:1::/64 silver", by: .address(ipv6Prefix: 64))
        #expect(addresses.errors.isEmpty)
        #expect(addresses.table.tier(of: ClientKey("192.0.2.1")) == "gold")
        #expect(addresses.table.tier(of: ClientKey("2001:db8::/64")) == "gold")
        #expect(addresses.table.tier(of: ClientKey("2001:db8:1::/64")) == "silver")
        let print = Array(repeating: "AB", count: 32)
        let certificates = read("\(print.joined(separator: ":")) gold\n192.0.2.1 silver", by: .certificate).table
        #expect(certificates.tier(of: ClientKey(print.joined().lowercased())) == "gold")
        #expect(certificates.tier(of: ClientKey("192.0.2.1")) == "silver")
    }

    @Test func anErrorHasItsLineAndNotTheKey() {
        let (_, errors, _) = read(
            "fine gold\nsecretword\nsecret go+ld\nsha256:secret gold\nfine silver\nse\u{7}cret gold\nx gold")
        #expect(
            errors.map { String($0.prefix(6)) } == ["t:2:1:", "t:3:1:", "t:4:1:", "t:5:1:", "t:6:1:"])
        #expect(!errors.contains { $0.contains("secret") || $0.contains("fine") })
        let addresses = read("host gold\n10.0.0.0/8 gold\n2001:db8::/32 gold", by: .address(ipv6Prefix: 64)).errors
        #expect(addresses.count == 3 && addresses.allSatisfy { $0.contains("allowed: an address") })
        #expect(read("ab gold", by: .certificate).errors.count == 1)
    }

    @Test func whatIsTooLongIsAnErrorOfItsLine() {
        let long = String(repeating: "k", count: TierTable.maximumLine)
        #expect(read("a gold\n\(long) gold\n").errors == ["t:2:1: the line is longer than 4096 bytes, the maximum"])
        let lines = String(repeating: "\n", count: TierTable.maximumLines)
        #expect(read(lines).errors.isEmpty)
        #expect(read(lines + "a gold").errors == ["t:200001:1: the file has more than 200000 lines, the maximum"])
        let many = read(String(repeating: "x\n", count: 100)).errors
        #expect(many.count == 11 && many.last == "t:11:1: further errors are not shown")
    }

    @Test func aTierThatTheRouteDoesNotHaveIsAWarning() {
        let (table, errors, warnings) = read("a gold\nb tin\nc tin\nd lead")
        #expect(errors.isEmpty && warnings.map { String($0.prefix(6)) } == ["t:2:1:", "t:4:1:"])
        #expect(table.tier(of: ClientKey("b")) == "tin")
    }

    @Test func aFileThatCannotBeReadIsAnErrorWhereItIsNamed() throws {
        var configuration = Configuration(routes: [route(.certificate), route(.certificate)])
        var reads = 0
        let errors = #expect(throws: ConfigurationErrors.self) {
            _ = try configuration.readTierFiles(namedIn: "proxy.conf") { _ throws(UnreadableFile) in
                reads += 1
                throw UnreadableFile(reason: "no")
            }
        }
        #expect(errors?.errors.first?.description == "proxy.conf:5:7: `routes.client_tier.file` is `t`: no")
        reads = 0
        _ = try configuration.readTierFiles(namedIn: "proxy.conf") { _ in
            reads += 1
            return "192.0.2.1 gold"
        }
        #expect(reads == 1)
    }

    @Test func noDescriptionShowsAKey() {
        let table = read("secret gold").table
        #expect(!"\(table)".contains("secret") && !String(reflecting: table).contains("secret"))
        #expect(Mirror(reflecting: table).children.isEmpty)
    }
}
