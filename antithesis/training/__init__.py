"""Training the network; needs the extra ``antithesis[train]``: TensorFlow, Keras, Kapre."""
