import Testing

@testable import LiveScreen

@Suite struct SharesTests {
    @Test(arguments: [
        (10, [3, 4], [3, 4]), (10, [20, 20], [5, 5]), (10, [2, 20], [2, 8]), (10, [20, 1, 20], [4, 1, 5]),
        (0, [3, 4], [0, 0]), (-5, [3], [0]), (7, [], []), (2, [9, 9, 9], [0, 1, 1]),
    ])
    func noShareIsLargerThanItsDemand(room: Int, wants: [Int], got: [Int]) {
        #expect(shares(of: room, among: wants) == got)
    }
}
