import Observability
import Testing

@Suite struct ResponseCodesTests {
    private func counted(_ statuses: Int...) -> [String: Int] {
        var codes = ResponseCodes()
        for status in statuses { codes.count(status) }
        let all = Dictionary(uniqueKeysWithValues: zip(ResponseCodes.names, codes.counts))
        return all.filter { $0.value > 0 }
    }

    @Test func frequentCodesAreCountedByThemselvesAndOthersByTheirClass() {
        #expect(
            counted(200, 200, 404, 418, 451, 299, 399, 599) == [
                "200": 2, "404": 1, "4xx": 2, "2xx": 1, "3xx": 1, "5xx": 1,
            ])
    }

    @Test func everyStatusThatAnUpstreamMaySendHasACount() {
        var codes = ResponseCodes()
        for status in 200...599 { codes.count(status) }
        #expect(codes.counts.reduce(0, +) == 400)
        #expect(codes.counts.allSatisfy { $0 > 0 })
    }

    @Test func countsOfTwoLoopsAreAdded() {
        var one = ResponseCodes()
        one.count(503)
        one.count(555)
        one += one
        #expect(one.counts.filter { $0 > 0 } == [2, 2])
    }
}
