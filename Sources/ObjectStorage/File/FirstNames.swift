/// The first names in order out of a folder's, of which there may be many more than fit into memory.
///
/// A heap with the last of them on top: most names of a large folder come after that and are not even copied.
struct FirstNames {
    private var heap: [ListingName] = []
    private let limit: Int
    /// Whether names were left out for being more than the limit.
    private(set) var leftOut = false

    init(limit: Int) {
        self.limit = limit
        heap.reserveCapacity(min(limit, 1024))
    }

    /// Takes a name, if it is one of the first.
    mutating func offer(_ name: UnsafeRawBufferPointer, isFolder: Bool) {
        guard heap.count == limit else {
            heap.append(ListingName(name, isFolder: isFolder))
            rise()
            return
        }
        leftOut = true
        let isFirst = heap[0].bytes.withUnsafeBytes { ListingName.order(name, isFolder: isFolder, $0) < 0 }
        guard isFirst else { return }
        heap[0] = ListingName(name, isFolder: isFolder)
        sink()
    }

    /// The names in order.
    var sorted: [ListingName] { heap.sorted() }

    private mutating func rise() {
        var index = heap.count - 1
        while index > 0, heap[(index - 1) / 2] < heap[index] {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink() {
        var index = 0
        while true {
            var largest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[largest] < heap[child] {
                largest = child
            }
            if largest == index { return }
            heap.swapAt(index, largest)
            index = largest
        }
    }
}
