/// A queue of small values, each found again by its place: places count up and stay while others come and go.
///
/// Empty, it holds no memory. Appending is amortised O(1), as is taking; the memory is at most twice what is held, and
/// what `Array` keeps in reserve.
struct Ring<Element> {
    private var elements: [Element] = []
    private var head = 0
    /// The place of the first value, or of the next to come where there is none.
    private(set) var startPlace = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { elements.count == head }
    /// The place of the next value to come.
    var endPlace: Int { startPlace + count }
    var first: Element? { isEmpty ? nil : elements[head] }
    var last: Element? { isEmpty ? nil : elements.last }

    subscript(place: Int) -> Element {
        get { elements[place - startPlace + head] }
        set { elements[place - startPlace + head] = newValue }
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
        startPlace += 1
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
