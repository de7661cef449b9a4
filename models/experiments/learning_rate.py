"""What does Adadelta do at Keras's rate of today?

The post wrote 'adadelta', whose rate was 1.0 in 2017; today it is 0.001. The single layer
at both rates, after 1 to 50 epochs, from three seeds.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np
from keras.optimizers import Adadelta

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_test = x_test.reshape(len(x_test), 784)
all_epochs = [1] if args.quick else [1, 2, 5, 10, 50]

# %% 训练：两种学习率 · train at both rates
losses = {}  # rate, epochs to the validation loss from each seed
pictures = {"original": x_test}
for rate in (0.001, 1.0):
    for epochs in all_epochs:
        losses[rate, epochs] = []
        for seed in args.seeds:
            network = lab.run(args, "simple", optimizer=Adadelta(rate), epochs=epochs, seed=seed)
            losses[rate, epochs].append(network.history["val_loss"][-1])
            if seed == 0:
                autoencoder = common.load_model("autoencoder", network.folder)
                images = autoencoder.predict(x_test[:10], verbose=0)
                pictures[f"{rate}, epoch {epochs}"] = images

# %% 画图 · draw the digits after each number of epochs
common.plot_rows(pictures, 10, args.pictures / "adadelta.png")

# %% 结果 · the table
head = ["epochs", "validation loss at 0.001", "at 1.0"]
rows = []
for epochs in all_epochs:
    row = [str(epochs), lab.spread(losses[0.001, epochs], 4), lab.spread(losses[1.0, epochs], 4)]
    rows.append(row)
sentences = f"Images that are grey all over have a loss of {np.log(2):.4f}."
lab.report(args, "learning_rate", head, rows, sentences)
