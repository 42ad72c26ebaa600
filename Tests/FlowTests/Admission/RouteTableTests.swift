import Flow
import Testing

@Suite struct RouteTableTests {
    private func isMatch(_ match: RouteMatch, host: String? = nil, path: Substring = "/", method: String = "GET")
        -> Bool
    {
        RouteTable(matches: [match]).match(host: host?[...], path: path, method: method) == 0
    }

    @Test(arguments: ["/v1/orders", "/v1/orders/", "/v1/orders/7", "/v1/orders//", "/v1/orders/é"])
    func aPrefixMatchesAtASegmentBorder(path: String) {
        #expect(isMatch(RouteMatch(path: "/v1/orders"), path: path[...]))
    }

    @Test(arguments: ["", "/", "/v1", "/v1/order", "/v1/orders2", "/v1/ordersé", "/V1/orders", "/x/v1/orders", "*"])
    func aPrefixDoesNotMatchElsewhere(path: String) {
        #expect(!isMatch(RouteMatch(path: "/v1/orders"), path: path[...]))
    }

    @Test func aPrefixThatEndsInASlashMatchesWhatIsBelow() {
        #expect(isMatch(RouteMatch(path: "/v1/"), path: "/v1/"))
        #expect(isMatch(RouteMatch(path: "/v1/"), path: "/v1/a"))
        #expect(!isMatch(RouteMatch(path: "/v1/"), path: "/v1"))
    }

    @Test(arguments: ["/", "/a", "//", "*", ""])
    func theRootMatchesEveryPath(path: String) {
        #expect(isMatch(RouteMatch(), path: path[...]))
    }

    @Test func aPathIsASliceOfTheTarget() {
        let target = "/v1/orders2?x=1"
        #expect(isMatch(RouteMatch(path: "/v1/orders"), path: target.dropLast(5)))
        #expect(!isMatch(RouteMatch(path: "/v1/orders"), path: target.dropLast(4)))
    }

    @Test(arguments: [
        ("example.com", "example.com"), ("example.com", "EXAMPLE.com"), ("Example.COM", "example.com"),
        ("::1", "::1"), ("FE80::1", "fe80::1"), ("127.0.0.1", "127.0.0.1"), ("example.com", "example.com."),
    ])
    func aHostMatchesInAnyCaseAndWithTheDotOfItsRoot(configured: String, sent: String) {
        #expect(isMatch(RouteMatch(host: configured), host: sent))
    }

    @Test(arguments: [
        "", ".", "example.co", "example.com2", "www.example.com", "example.com.evil", "example.com..", "::1",
    ])
    func aHostDoesNotMatchOthers(sent: String) {
        #expect(!isMatch(RouteMatch(host: "example.com"), host: sent))
        #expect(isMatch(RouteMatch(), host: sent))
    }

    @Test func aRouteWithAHostDoesNotServeRequestsWithoutOne() {
        #expect(!isMatch(RouteMatch(host: "example.com"), host: nil))
        #expect(!isMatch(RouteMatch(host: "::1"), host: "::2"))
    }

    @Test func methodsAreCaseSensitiveAndNoneIsAll() {
        let match = RouteMatch(methods: ["GET", "POST"])
        #expect(isMatch(match, method: "GET"))
        #expect(isMatch(match, method: "POST"))
        #expect(!isMatch(match, method: "get"))
        #expect(!isMatch(match, method: "HEAD"))
        #expect(isMatch(RouteMatch(), method: "BREW"))
    }

    @Test func theFirstMatchWins() {
        let table = RouteTable(matches: [
            RouteMatch(host: "a.example", path: "/v1"), RouteMatch(path: "/v1/orders", methods: ["POST"]),
            RouteMatch(path: "/v1/orders"), RouteMatch(path: "/v1"),
        ])
        #expect(table.match(host: "a.example", path: "/v1/orders", method: "POST") == 0)
        #expect(table.match(host: "b.example", path: "/v1/orders", method: "POST") == 1)
        #expect(table.match(host: "b.example", path: "/v1/orders", method: "GET") == 2)
        #expect(table.match(host: nil, path: "/v1/x", method: "GET") == 3)
        #expect(table.match(host: nil, path: "/v2", method: "GET") == nil)
        #expect(RouteTable(matches: []).match(host: nil, path: "/", method: "GET") == nil)
    }

    @Test func otherConditionsSelectBetweenRoutesOfOnePath() {
        var gold = RouteMatch(path: "/a"), watch = RouteMatch(path: "/a")
        gold.headers = [.init(name: "X-Tier", value: "gold")]
        watch.query = [.init(name: "watch", value: "true")]
        let matches = [gold, watch, RouteMatch(path: "/a")], table = RouteTable(matches: matches)
        func route(_ target: String, _ fields: [String: [String]] = [:]) -> Int? {
            table.match(host: nil, path: target.prefix { $0 != "?" }, method: "GET") { index in
                matches[index].conditionsHold(target: target) { fields[$0] ?? [] }
            }
        }
        #expect(route("/a") == 2)
        #expect(route("/a?watch=true") == 1)
        #expect(route("/a?watch=false") == 2)
        #expect(route("/a?x=1&watch=true", ["X-Tier": ["gold"]]) == 0)
        #expect(route("/a", ["X-Tier": ["gold", "silver"]]) == 2)
        #expect(!gold.covers(watch) && !gold.covers(matches[2]) && matches[2].covers(gold))
        #expect(gold.covers(gold))
    }
}
