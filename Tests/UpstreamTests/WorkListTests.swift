import Testing

@testable import Upstream

@Suite struct WorkListTests {
    private final class Work {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @Test func elementsAreTakenInTheOrderInWhichTheyWereAdded() {
        var list = WorkList<Work>()
        for number in 0..<3 { list.append(Work(number)) }
        #expect(list.next()?.number == 0)
        list.append(Work(3))
        #expect(list.count == 3)
        #expect((1...3).map { _ in list.next()?.number } == [1, 2, 3])
        #expect(list.isEmpty && list.next() == nil)
    }

    @Test func anElementThatWasTakenIsNotContained() {
        let first = Work(0), second = Work(1)
        var list = WorkList<Work>()
        list.append(first)
        list.append(second)
        #expect(list.contains(first) && list.contains(second))
        _ = list.next()
        #expect(!list.contains(first) && list.contains(second))
        list.removeAll()
        #expect(list.isEmpty && !list.contains(second))
    }

    /// Two elements that are added again each time they are taken, so that the list is never empty.
    @Test func elementsThatWereTakenAreReleasedAlthoughTheListIsNeverEmpty() {
        var list = WorkList<Work>()
        var taken: [Weak] = []
        for number in 0..<1000 {
            list.append(Work(number))
            if number > 0, let work = list.next() { taken.append(Weak(work)) }
        }
        #expect(list.count == 1)
        #expect(taken.filter { $0.work != nil }.count <= 32)
    }

    private struct Weak {
        weak var work: Work?
        init(_ work: Work) { self.work = work }
    }
}
