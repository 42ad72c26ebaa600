import TestSupport
import Testing

@testable import Flow

@Suite struct ByteQueueTests {
    @Test func givesBackWhatWasPutInInOrder() {
        let queue = Subject()
        queue.append("first ")
        queue.append("second")
        #expect(queue.text == "first second")
        queue.removeFirst(6)
        #expect(queue.text == "second")
        queue.removeLast(3)
        #expect(queue.text == "sec")
        #expect(queue.count == 3)
    }

    @Test func holdsNoMemoryOnceItIsEmpty() {
        let queue = Subject()
        #expect(queue.address == nil)
        for empty in [{ $0.removeFirst(4) }, { $0.removeLast(4) }, { $0.removeAll() }] as [(Subject) -> Void] {
            queue.append("four")
            #expect(queue.address != nil)
            empty(queue)
            #expect(queue.count == 0)
            #expect(queue.address == nil)
        }
    }

    @Test func appendingNothingTakesNoMemory() {
        let queue = Subject()
        queue.append("")
        queue.queue.append(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(queue.address == nil)
    }

    @Test func removingNothingChangesNothing() {
        let queue = Subject()
        queue.append("kept")
        queue.removeFirst(0)
        queue.removeLast(0)
        #expect(queue.text == "kept")
    }

    /// A queue through which much passes, but which never holds much, does not grow: it moves to the front instead.
    @Test func usesItsMemoryAgainWhileBytesPass() {
        let queue = Subject()
        queue.append(String(repeating: "x", count: 300))
        let first = queue.address
        queue.removeFirst(280)
        queue.append(String(repeating: "y", count: 300))
        #expect(queue.address == first)
        #expect(queue.text == String(repeating: "x", count: 20) + String(repeating: "y", count: 300))
    }

    @Test func aLargeQueueTakesLittleMoreMemoryThanItsBytes() {
        let queue = Subject()
        for chunks in 1...200 {
            queue.append(String(repeating: "x", count: 16 << 10))
            #expect(queue.queue.capacity <= max(queue.count + 4096, queue.count * 5 / 4), "\(chunks) chunks")
        }
    }

    @Test(arguments: [(7, 100), (256, 100), (1024, 60), (3000, 1000)])
    func aQueueThatRemainsFullTakesLittleMoreMemoryThanItsBytes(record: Int, records: Int) {
        let queue = Subject()
        for _ in 0..<records { queue.append(String(repeating: "x", count: record)) }
        let most = queue.count > 16 << 10 ? queue.count + queue.count / 2 + 8192 : queue.count * 5 / 2 + 512
        for _ in 0..<10 * records {
            queue.removeFirst(record)
            queue.append(String(repeating: "x", count: record))
            #expect(queue.queue.capacity <= most)
        }
    }

    @Test func whatALargeRecordTookIsGivenBackBeforeTheQueueIsEmpty() {
        let queue = Subject()
        queue.append(String(repeating: "x", count: 1 << 20))
        queue.append("rest")
        queue.removeFirst(1 << 20)
        #expect(queue.text == "rest")
        #expect(queue.queue.capacity <= 64 << 10)
    }

    @Test(arguments: 0..<50) func agreesWithAnArray(seed: Int) {
        var random = SeededGenerator(seed: seed)
        let queue = Subject()
        var model: [UInt8] = []
        for _ in 0..<500 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                let more = (0..<Int.random(in: 0...900, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                queue.append(more)
                model += more
            case 4..<8:
                let taken = Int.random(in: 0...model.count, using: &random)
                queue.removeFirst(taken)
                model.removeFirst(taken)
            case 8 where Bool.random(using: &random):
                let more = (0..<Int.random(in: 0...900, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                more.withUnsafeBytes { queue.queue.prepend($0) }
                model = more + model
                let from = Int.random(in: 0...model.count, using: &random)
                let (end, place) = (
                    Int.random(in: from...model.count, using: &random), Int.random(in: 0...from, using: &random)
                )
                queue.queue.move(from..<end, to: place)
                model.replaceSubrange(place..<place + end - from, with: Array(model[from..<end]))
            case 8:
                let dropped = Int.random(in: 0...model.count, using: &random)
                queue.removeLast(dropped)
                model.removeLast(dropped)
            default:
                guard Int.random(in: 0..<20, using: &random) == 0 else { continue }
                queue.removeAll()
                model.removeAll()
            }
            #expect(queue.count == model.count)
            #expect(queue.content == model)
            #expect((queue.address == nil) == model.isEmpty)
        }
    }
}

/// A queue in a class, because `#expect` can look at no value that cannot be copied.
private final class Subject {
    var queue = ByteQueue()

    var count: Int { queue.count }
    var content: [UInt8] { Array(queue.bytes) }
    var text: String { String(decoding: queue.bytes, as: UTF8.self) }
    var address: UnsafeRawPointer? { queue.bytes.baseAddress }

    func append(_ text: String) { append(Array(text.utf8)) }
    func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { queue.append($0) } }
    func removeFirst(_ count: Int) { queue.removeFirst(count) }
    func removeLast(_ count: Int) { queue.removeLast(count) }
    func removeAll() { queue.removeAll() }
}
