/// The name that was probably meant.
///
/// - Parameters:
///   - name: What was written.
///   - candidates: The names that exist.
/// - Returns: The nearest of them, if it is near: at most a third of the name's characters have to change.
public func suggestion(for name: String, among candidates: some Sequence<String>) -> String? {
    // Comparing takes the product of two lengths: no name is this long.
    guard name.utf8.count <= 64 else { return nil }
    let limit = max(1, name.count / 3)
    return candidates.map { (name: $0, distance: editDistance(name, $0)) }
        .filter { $0.distance <= limit }
        .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?
        .name
}

/// How many characters have to be added, removed, changed or swapped with their neighbour (Damerau and Levenshtein).
func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left), right = Array(right)
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (i, character) in left.enumerated() {
        var row = [i + 1]
        for (j, other) in right.enumerated() {
            var distance = min(row[j] + 1, last[j + 1] + 1, last[j] + (character == other ? 0 : 1))
            if i > 0, j > 0, character == right[j - 1], left[i - 1] == other {
                distance = min(distance, beforeLast[j - 1] + 1)
            }
            row.append(distance)
        }
        (beforeLast, last) = (last, row)
    }
    return last[right.count]
}

/// The words that end a message about an unknown name: empty, or `; did you mean 'x'?`.
func didYouMean(_ name: String, among candidates: some Sequence<String>) -> String {
    suggestion(for: name, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
}
