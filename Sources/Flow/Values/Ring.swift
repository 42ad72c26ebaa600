/// A queue of small values, each with a position: positions count up and do not change while others are added and
/// removed.
///
/// Empty, it holds no memory. Appending and removing are amortised O(1); the memory is at most twice that of the
/// values, and the reserve of `Array`.
struct Ring<Element> {
    private var elements: [Element] = []
    private var head = 0
    /// The position of the first value, or of the next one if the ring is empty.
    private(set) var startPosition = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { elements.count == head }
    /// The position of the next value to be appended.
    var endPosition: Int { startPosition + count }
    var first: Element? { isEmpty ? nil : elements[head] }
    var last: Element? { isEmpty ? nil : elements.last }

    subscript(position: Int) -> Element {
        get { elements[position - startPosition + head] }
        set { elements[position - startPosition + head] = newValue }
    }

    mutating func append(_ element: Element) {
        if head >= 16, head >= elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        elements.append(element)
    }

    /// The ring must not be empty.
    mutating func removeFirst() {
        head += 1
        startPosition += 1
        if head == elements.count { release() }
    }

    /// The ring must not be empty.
    mutating func removeLast() {
        elements.removeLast()
        if head == elements.count { release() }
    }

    private mutating func release() {
        elements = []
        head = 0
    }
}

extension Ring: Sendable where Element: Sendable {}
