"""What does Adadelta do at Keras's rate of today?

The post wrote 'adadelta', whose rate was 1.0 in 2017; today it is 0.001. The single layer
at both rates, after 1 to 50 epochs.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_test = x_test.reshape(len(x_test), 784)
all_epochs = [1] if args.quick else [1, 2, 5, 10, 50]

# %% 训练：两种学习率 · train at both rates; the script's optimizer is Adadelta
ends = {}
pictures = {"original": x_test}
for rate in ("0.001", "1.0"):
    for epochs in all_epochs:
        changes = [('"adadelta": 1.0', f'"adadelta": {rate}')]
        folder = lab.run(args, f"simple_rate_{rate}", f"--epochs {epochs}", changes)
        ends[rate, epochs] = lab.losses(folder, "val_loss")[-1]
        autoencoder = common.load_model("autoencoder", folder)
        pictures[f"{rate}, epoch {epochs}"] = autoencoder.predict(x_test[:10], verbose=0)

# %% 画图 · draw the digits after each number of epochs
common.plot_rows(pictures, 10, args.pictures / "adadelta.png")

# %% 结果 · the table, and what came out
head = ["epochs", "validation loss at 0.001", "at 1.0"]
rows = []
for epochs in all_epochs:
    rows.append([str(epochs), f"{ends['0.001', epochs]:.4f}", f"{ends['1.0', epochs]:.4f}"])
last = all_epochs[-1]
sentences = f"""Images that are grey all over have a loss of {np.log(2):.4f}. At 0.001 it is \
{ends["0.001", last]:.4f} after {last} epochs, and at 1.0 it is {ends["1.0", last]:.4f}."""
lab.report(args, "learning_rate", head, rows, sentences)
