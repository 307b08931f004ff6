"""How a formula is trained with: samples, batches, epochs, validation, and the choice of a learning rate.

Plain functions of numbers of any one system: fractions, floats, numpy arrays, symbols. Samples are
counted from 0, epochs from 1, and nothing is drawn at random: what a document draws is enumerated, or
numbered by a seed.
"""
